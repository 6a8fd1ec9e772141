"""Commands that answer a superfluous word in one sentence."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from rdfc_core.errors import StudyError
from rdfc_core.utils.paths import undecodable


def _without(names: list[str] | None) -> list[str] | None:
    """Switch plugins off before anything of them is imported."""
    if names:
        from rdfc_core.plugin.registry import installed
        from rdfc_core.plugin.switched_off import switch_off

        switch_off(names)
        installed.cache_clear()
        installed()  # a name that is nobody's is refused at once
    return names


Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="NAME",
        is_eager=True,
        callback=_without,
        help="Leave a plugin out, by the name of its distribution; repeatable.",
    ),
]


def _with_without(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the option ``--without``, of which it need not know."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = inspect.signature(function, eval_str=True).parameters.values()
    shared = inspect.Parameter("without", keyword, default=None, annotation=Without)

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        given.pop("without")
        return function(**given)

    signature = inspect.Signature([*(one.replace(kind=keyword) for one in own), shared])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    return command


class Command(TyperCommand):
    """A command that says which word it did not expect, and where that may belong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take over what the command knows.

        Raises:
            StudyError: If words are left, or one of them is no text.
        """
        for word in args:
            if shown := undecodable(word):
                raise StudyError(
                    f"{shown} holds bytes that are no UTF-8, and what rdfc writes could not name "
                    "it. Rename the file or folder."
                )
        ctx.allow_extra_args = True  # they are refused here, with a way out
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            known = {name for param in self.params for name in param.opts}
            raise StudyError(
                f"{ctx.command_path} did not expect {rest[0]!r}. {_remedy(rest[0], known)}"
                f"All it takes is told by {ctx.command_path} --help."
            )
        return rest


class App(typer.Typer):
    """A group of such commands."""

    def command(self, *args: Any, **settings: Any) -> Callable[[Any], Any]:
        """As of any group, with `Command` as the class and the option ``--without``."""
        register = super().command(*args, **{"cls": Command, **settings})

        def registered(function: Callable[..., Any]) -> Callable[..., Any]:
            register(_with_without(function))
            return function

        return registered


def _remedy(word: str, known: set[str]) -> str:
    if "=" in word and "--set" in known:
        return f"An option of the study is set by --set {word}. "
    if "--root" in known:
        return f"If it is where the data lie, put it behind --root: --root {word}. "
    if "--out" in known:
        return f"If it is where to write, put it behind --out: --out {word}. "
    return ""
