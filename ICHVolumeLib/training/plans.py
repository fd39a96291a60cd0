"""How to train: the paper's recipe and ours, as plain values."""

from dataclasses import asdict, dataclass, field

import numpy as np

from ..core.errors import InputError
from ..network.base import CLASSES

KIND_SHARES = {"ct_ich": 0.68, "extra_axial": 0.1, "template": 0.12, "procedural": 0.1}


@dataclass(frozen=True)
class Plan:
    """One training run. pixel_mm ranges are drawn log-uniformly for every block of slices."""

    optimizer: str  # "rmsprop" or "adamw"
    learning_rate: float
    schedule: str  # "plateau": halved when patience epochs bring nothing; "cosine" to zero
    loss: str  # a function of losses.py
    batch: int
    epochs: int
    epoch_slices: int
    size: int  # rows and columns of a training crop
    pixel_mm: tuple[float, float]
    patience: int = 2
    ema: float = 0.0  # decay of the averaged weights that are kept; 0 keeps the last weights
    bf16: bool = True  # autocast; float32 otherwise
    hard_share: float = 0.0  # share of blocks drawn from slices with earlier false alarms
    faint_share: float = 0.0  # share of blocks drawn again until they show faint blood
    cast_share: float = 0.0  # share of blocks drawn again until blood fills a ventricle
    outside_share: float = 0.0  # share of blocks with blood outside the brain put in; above 0 it is a class of its own
    wide_share: float = 0.0  # share of blocks that vary as variation.WIDE says, the others as held-out patients do
    real_share: float = 0.0  # share of blocks that show real bleeds, where the run is given any
    warmup_steps: int = 0
    first_steps: int = 0  # steps of a run from scratch that use losses.from_scratch instead of `loss`
    weight_decay: float = 0.0
    validation_blocks: int = 36
    window_hu: tuple[float, float] = (0.0, 100.0)  # what the network sees as 0..1
    brain_hu: tuple[float, float] | None = (35.0, 35.0)  # levels that brain is brought to first; None: it stays as is
    kind_shares: dict[str, float] = field(default_factory=lambda: dict(KIND_SHARES))  # of blocks, by Background.kind

    @property
    def classes(self) -> int:
        """Of the network: background, ICH, IVH and, where it is shown, blood outside the brain."""
        return CLASSES + (self.outside_share > 0)

    def to_dict(self) -> dict:
        return asdict(self)

    def shares(self, kinds: list[str]) -> np.ndarray:
        """How often each of the backgrounds of these kinds is drawn, (backgrounds,), in all 1: kind_shares divided
        among those of a kind. Raises InputError for a kind that has no share, and where nothing is left to draw."""
        unknown = sorted(set(kinds) - self.kind_shares.keys())
        if unknown:
            raise InputError(f"The plan does not say how often heads of {', '.join(unknown)} are drawn (it knows "
                             f"{', '.join(self.kind_shares)}); give them a share in its kind_shares.")
        shares = np.array([self.kind_shares[kind] / kinds.count(kind) for kind in kinds])
        if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
            raise InputError("There is no head to train on: the pool holds none outside validation, or kind_shares of "
                             "the plan has no share above 0 for those it holds.")
        return shares / shares.sum()


PLANS = {
    # Window: 0..100 HU holds brain, CSF and blood at twice the contrast of the paper's -60..140, and all that the 8-bit
    # backgrounds lost (bone and air beyond -20..100 HU) is saturated in real scans too.
    # Peng et al. 2022: RMSprop, 1e-5, 40 epochs, batch 2, lowered after 2 epochs without progress, 512 x 512;
    # an epoch there is 718 training patients of 40 slices; its window is -60..140 HU.
    "paper": Plan("rmsprop", 1e-5, "plateau", "bce_dice", 2, 40, 718 * 40, 512, (0.45, 0.45), bf16=False,
                  window_hu=(-60.0, 140.0), brain_hu=None),
    # the whole head in every slice: neck, skull base and vertex are seen in their place and left alone
    "practical": Plan("adamw", 2e-3, "cosine", "class_dice", 8, 40, 1200, 224, (0.82, 0.98), ema=0.998,
                      hard_share=0.1, warmup_steps=50, first_steps=400, weight_decay=0.01),
    # the same view in finer pixels for the end of a run: the edge of a small bleed is decided by half a pixel
    "fine": Plan("adamw", 1e-3, "cosine", "class_dice", 4, 12, 1200, 320, (0.60, 0.66), ema=0.998,
                 hard_share=0.1, warmup_steps=100, weight_decay=0.01),
    # after `fine`: small bleeds that it leaves alone; more validation blocks, as half of 18 bleeds is chance
    "small": Plan("adamw", 2e-4, "cosine", "blood_dice", 4, 5, 1200, 320, (0.60, 0.66), ema=0.998,
                  hard_share=0.1, warmup_steps=100, weight_decay=0.01, validation_blocks=90),
    # after `small`: large bleeds a little brighter than the brain, few among all and most of the error of the volume
    "faint": Plan("adamw", 3e-4, "cosine", "blood_dice", 4, 8, 1200, 320, (0.60, 0.66), ema=0.998,
                  hard_share=0.1, faint_share=0.3, warmup_steps=100, weight_decay=0.01, validation_blocks=90),
    # real heads: brighter, noisier, turned, with real bleeds among the made ones; crops, so that there are many, but so
    # large that a large faint bleed has brain around it: with 192 pixels and none faint these were forgotten, and with
    # few filled ventricles these became ICH
    "real": Plan("adamw", 3e-4, "cosine", "blood_dice", 4, 8, 800, 224, (0.70, 0.80), ema=0.995, hard_share=0.1,
                 faint_share=0.3, cast_share=0.1, wide_share=0.6, real_share=0.2, warmup_steps=40, weight_decay=0.01,
                 validation_blocks=24,
                 kind_shares={"ct_ich": 0.56, "extra_axial": 0.1, "template": 0.12, "procedural": 0.22}),
    # the whole head in pixels of 1.5 mm, for the coarse pass, which also knows blood outside the brain: ten times as
    # many slices an hour as `fine`
    "coarse": Plan("adamw", 2e-3, "cosine", "every_slice", 16, 20, 1600, 144, (1.40, 1.65), ema=0.998, hard_share=0.1,
                   faint_share=0.15, outside_share=0.25, wide_share=0.5, real_share=0.12, warmup_steps=100,
                   first_steps=400, weight_decay=0.01, validation_blocks=60),
    # for a GPU with many cores beside it (--jobs): the same view, more slices than all of the above in ten minutes
    "many": Plan("adamw", 1e-3, "cosine", "blood_dice", 32, 10, 60_000, 320, (0.60, 0.66), ema=0.999,
                 warmup_steps=500, weight_decay=0.01, validation_blocks=90),
}
