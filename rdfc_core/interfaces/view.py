"""View: one way to look at a case, from the files to a batch of network features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from rdfc_core.case import Needs, Tumour
from rdfc_core.errors import StudyError, with_article
from rdfc_core.interfaces.prepared import Prepared, Preparer

if TYPE_CHECKING:  # cases are prepared in environments that have no torch
    import torch

    from rdfc_core.interfaces.collated import Collated
    from rdfc_core.interfaces.tower import Tower


class View(ABC):
    """A way to look at a case. Built as ``Class(config, **parts)``.

    The life of a view: `prepare` each case (once ever: the result is stored), `fit` on pretext
    cases only, `collate` whichever cases are wanted, then `augment` batches on the device and send
    them through a `tower`. `state` holds what `fit` learnt; it is saved with the model.

    Attributes:
        needs: What of a case `prepare` gets: images by name, columns, and on which grid. By default
            its one image. To be set in the class, or in ``__init__`` where options decide.
    """

    needs: Needs = Needs()

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Everything that determines what `prepare` gives, as JSON: the store's key.

        Called:
            In the main process, before each extraction and where a trained model is used.
        """

    @abstractmethod
    def prepare(self, tumour: Tumour) -> Prepared:
        """The view of one tumour: deterministic, and independent of every other case.

        The tumour holds what `needs` asks for and nothing else. Runs in worker processes.

        Raises:
            DataError: If this tumour cannot be seen this way; core adds the case's name.

        Called:
            In a worker process, once a case ever: the result is stored under the `recipe`.
        """

    def preparer(self) -> Preparer:
        """What is sent to worker processes to do `recipe` and `prepare`; by default the view.

        A view that needs no torch for it hands over a small object, so that workers start quickly.

        Called:
            In the main process, once an extraction; what it gives is pickled.
        """
        return self

    @abstractmethod
    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Learn what depends on many cases (means, sizes) from the given cases and no others.

        Raises:
            DataError: If the cases do not agree with each other, or there are none.

        Called:
            Once a split, with the pretext cases, before any training.
        """

    @abstractmethod
    def collate(self, prepared: Sequence[Prepared]) -> Collated:
        """All given cases as one tensor (N, …), on the CPU. Needs `fit` or `load_state` first.

        Cases that one tensor cannot hold are a mapping of tensors, such as ``tokens`` (N, L, D)
        and ``real`` (N, L), padded to an L that `fit` has learnt: shapes must not depend on which
        cases are asked for.

        Raises:
            DataError: If a case does not agree with those the view was fitted on.

        Called:
            Before each training with all of its cases, otherwise batch by batch; in the main
            process.
        """

    def accepts(self, ndim: int) -> bool:
        """Whether tumours of ``ndim`` axes agree with those the view was fitted on; by default all.

        Asked before cases are opened for a trained model. Needs `fit` or `load_state` first.

        Called:
            By `rdfc predict` and `rdfc embed`, before cases are opened.
        """
        return True

    def adapt(self, prepared: Sequence[Prepared]) -> tuple[str, ...]:
        """Look at cases of another place together, without their labels; by default not at all.

        What is learnt of them replaces what an earlier call has learnt, is not part of `state`, and
        leaves what `fit` has learnt as it is. Needs `fit` or `load_state` first.

        Returns:
            What was learnt of these cases, in sentences for the user.

        Called:
            With all cases of a list before they are predicted, embedded or validated, and with the
            labelled cases of a split.
        """
        return ()

    def augment(self, batch: Any, generator: torch.Generator) -> Any:
        """A random variation of the batch (B, …), on its device; by default the batch itself.

        Batch and result are what `collate` gives: a tensor, or a mapping of tensors.

        All randomness comes from the generator, which lives on the CPU.

        Called:
            By the task, at every step, through `Batch.draw`; by training with labels at every step.
        """
        return batch

    def varied(self, variations: Mapping[str, Any]) -> View:
        """The same fitted view, whose `augment` follows these options in place of its own.

        For tasks that ask for other variations than the rest of the study (SimCLR wants stronger
        ones). By default a view has no options to change.

        Raises:
            StudyError: If `augment` follows no such option, or a value does not fit.

        Called:
            By `Batch.draw`, where a task asks for variations of its own.
        """
        if variations:
            raise StudyError(
                f"{with_article(type(self).__name__)} has no variations to change, and "
                f"{', '.join(variations)} was asked for. Ask for none."
            )
        return self

    @abstractmethod
    def tower(self) -> Tower:
        """A new network for this view with fresh weights. Needs `fit` or `load_state` first.

        Called:
            Once a training, under its seed, and once to try the study.
        """

    def blank_tower(self) -> Tower:
        """The same network with fresh random weights, whatever weights `tower` may begin with.

        Called:
            Where a saved model is loaded, and for the rows called scratch and random-init.
        """
        return self.tower()

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """What `fit` learnt, as plain arrays.

        Called:
            When a model is saved, and once before a run to try the round trip.
        """

    @abstractmethod
    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what another view of the same options learnt.

        Called:
            Where a saved model is loaded, in place of `fit`.
        """
