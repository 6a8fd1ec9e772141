"""Which loggers a run tells: as texts, or built already. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rdfc_core.api.context import component
from rdfc_core.config.resolve import ResolvedPart
from rdfc_core.errors import StudyError, with_article
from rdfc_core.interfaces import Logger
from rdfc_core.plugin.attribution import origin
from rdfc_core.plugin.registry import installed
from rdfc_core.plugin.run_loggers import RunLoggers
from rdfc_core.results import files

DEFAULT = (files.TENSORBOARD,)
"""What a run tells where nothing is said."""

NONE = "none"
"""For the command line, where an empty list cannot be written."""


@dataclass(frozen=True)
class LoggerChoice:
    """The loggers that were asked for.

    Args:
        chosen: Each with its options validated, or built.
    """

    chosen: Sequence[ResolvedPart | Logger]

    @classmethod
    def of(cls, loggers: Iterable[str | Logger]) -> LoggerChoice:
        """What these words ask for; nothing is imported but options.

        Args:
            loggers: Texts such as ``mlflow:experiment=lung``, or loggers; ``none`` alone: none.

        Raises:
            StudyError: If a text or an option does not fit, or a logger is named twice.
            PluginError: If there is no such logger.
        """
        asked = [loggers] if isinstance(loggers, str | Logger) else list(loggers)
        if NONE in asked and len(asked) > 1:
            raise StudyError("--logger none stands alone: leave it out, or leave out the others.")
        chosen: list[ResolvedPart | Logger] = []
        for one in asked:
            if isinstance(one, Logger):
                chosen.append(one)
            elif not isinstance(one, str):
                raise StudyError(
                    f"loggers holds {with_article(type(one).__name__)}. Give texts, such as "
                    "mlflow:experiment=lung, or objects of rdfc_core.interfaces.Logger."
                )
            elif one != NONE:
                chosen.append(component("logger", one, "--logger"))
        found = cls(chosen)
        names = found.names()
        for name in names:
            if names.count(name) > 1:  # they would write into one folder
                raise StudyError(f"--logger names {name} twice. Leave one of them out.")
        return found

    def names(self) -> list[str]:
        """What they are called."""
        return [one.name if isinstance(one, ResolvedPart) else _name(one) for one in self.chosen]

    def build(self) -> RunLoggers:
        """The loggers, ready to be told of a run.

        Raises:
            PluginError: If one is not available here, or fails to be built.
        """
        built: list[tuple[str, str, Logger]] = []
        for one in self.chosen:
            if isinstance(one, ResolvedPart):
                label = installed().get(one.kind, one.name).full_label
                built.append((one.name, label, one.build(installed())))
            else:
                built.append((_name(one), origin(one), one))
        return RunLoggers(built)


def _name(logger: Logger) -> str:
    return type(logger).__name__.lower()
