"""Plugins that listen to a run: what they are told, and what they may ask for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pluggy

from rdfc_core.errors import StoppedError
from rdfc_core.plugin.hookspecs import MAY_STOP, Stop

log = logging.getLogger("rdfc")

_told: set[tuple[str, str]] = set()
"""Plugin and hook that were warned of in this process for what they return."""


def tell(hooks: pluggy.PluginManager, event: str, facts: Mapping[str, Any]) -> str | None:
    """Call a run event's hook in every plugin; one that fails is named, and the run goes on.

    Args:
        hooks: The plugins.
        event: The hook, such as ``rdfc_epoch_ended``.
        facts: Its arguments; a plugin takes those that it names.

    Returns:
        Which plugins ask to stop the run, and why; None if none does.
    """
    asked = []
    for listener in getattr(hooks.hook, event).get_hookimpls():
        try:
            answer = listener.function(**{name: facts[name] for name in listener.argnames})
        except Exception as error:  # hours of training are worth more than a listener
            log.warning(
                "Plugin %s failed in %s: %s: %s. Upgrade or uninstall it.",
                listener.plugin_name,
                event,
                type(error).__name__,
                error,
            )
            log.debug("Plugin %s failed", listener.plugin_name, exc_info=error)
            continue
        if isinstance(answer, Stop) and event in MAY_STOP:
            asked.append(f"the plugin {listener.plugin_name} ({answer.reason.rstrip('.')})")
        elif answer is not None:
            _warn_of(listener.plugin_name, event, answer)
    return " and by ".join(asked) or None


def stopped(when: str, asked: str) -> StoppedError:
    """What ends a run that plugins ask to stop.

    Args:
        when: Where the run was, as the middle of a sentence.
        asked: As `tell` gives it.
    """
    return StoppedError(
        f"The run was stopped {when} by {asked}. What is finished is kept: the same command goes "
        "on from there."
    )


def _warn_of(plugin: str, event: str, answer: object) -> None:
    if (plugin, event) in _told:
        return
    _told.add((plugin, event))
    wanted = "None, or a Stop" if event in MAY_STOP else "None"
    log.warning(
        "Plugin %s returned %.80r from %s, which is ignored. Return %s.",
        *(plugin, answer, event, wanted),
    )
