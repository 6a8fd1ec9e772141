"""Radiomics-deep feature correspondence: InfoNCE over one memory bank a view."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The objective, the memory and the pretext task of the paper, and tasks made of them."""
    return [
        Component(
            "objective",
            "infonce",
            "Each view finds its counterpart among negatives: InfoNCE or NCE, with or without bank",
            "rdfc_objective_infonce.infonce:InfoNCE",
            "rdfc_objective_infonce.config:InfoNCEConfig",
        ),
        Component(
            "memory_store",
            "bank",
            "One embedding a case, moved towards the newest one at every step",
            "rdfc_objective_infonce.bank:MemoryBank",
            "rdfc_objective_infonce.config:MemoryBankConfig",
        ),
        Component(
            "memory_store",
            "sharded-bank",
            "The same, spread over the processes that train: each keeps its part of the rows",
            "rdfc_objective_infonce.sharded_bank:ShardedBank",
            "rdfc_objective_infonce.config:MemoryBankConfig",
        ),
        Component(
            "memory_queue",
            "fifo",
            "The newest embeddings with their cases: first in, first out",
            "rdfc_objective_infonce.fifo_queue:FifoQueue",
            "rdfc_objective_infonce.config:FifoQueueConfig",
        ),
        Component(
            "pretext",
            "moco",
            "Views find the key of their case in a queue that a momentum teacher fills (MoCo)",
            "rdfc_objective_infonce.moco:MoCo",
            "rdfc_objective_infonce.config:MoCoConfig",
        ),
        Component(
            "pretext",
            "correspondence",
            "Views of one case agree, views of different cases do not (Zhao & Yang 2021)",
            "rdfc_objective_infonce.correspondence:Correspondence",
            "rdfc_objective_infonce.config:CorrespondenceConfig",
        ),
        Component(
            "pretext",
            "correspondence-simclr",
            "Correspondence within the batch and SimCLR of the pictures, some features corrupted",
            "rdfc_objective_infonce.correspondence_simclr:CorrespondenceSimCLR",
            "rdfc_objective_infonce.config:CorrespondenceSimCLRConfig",
        ),
        Component(
            "pretext",
            "correspondence-simclr-bank",
            "Correspondence with the memory bank and SimCLR of the pictures",
            "rdfc_objective_infonce.correspondence_simclr:CorrespondenceSimCLR",
            "rdfc_objective_infonce.config:CorrespondenceSimCLRBankConfig",
        ),
        Component(
            "pretext",
            "correspondence-reconstruction",
            "correspondence-simclr, and the features that were replaced are restored (TIP)",
            "rdfc_objective_infonce.reconstruction:CorrespondenceReconstruction",
            "rdfc_objective_infonce.config:CorrespondenceReconstructionConfig",
        ),
    ]
