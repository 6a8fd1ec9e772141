"""Reporting checklists answered from what a run folder holds: CLEAR, METRICS and TRIPOD+AI.

Every answer points to the file and figure that shows it; what a run cannot know is left to the
authors. Nothing is inferred from what the code is meant to do.
"""

from __future__ import annotations
