"""How good a network is on the way: fixed made blocks of patients that it is not trained on."""

import numpy as np
import torch

from ..datasets.case import OUTSIDE_BRAIN
from ..network.base import NetworkConfig
from ..network.registry import network_of
from ..segmentation.input_slices import moved_hu, windowed, windowed_slices
from ..synthetic.background_pool import is_validation
from ..synthetic.generator import make_block
from . import losses
from .batches import labels_with_outside
from .plans import Plan
from .stack_batches import filled


def validation_blocks(pool, config: NetworkConfig, plan: Plan):
    """Fixed blocks of unseen patients as the plan sees them: (images, labels, pixel_mm); a third without any bleed.

    Blocks of three slices; for a network of stacks one stack each, and about as many slices in all.
    """
    held = [one for one in pool if is_validation(one.patient)]
    rng = np.random.default_rng(20221003)
    blocks = []
    pixel_mm = float(np.sqrt(plan.pixel_mm[0] * plan.pixel_mm[1]))
    depth = config.patch[0] if config.patch else 3
    for index in range(-(-3 * plan.validation_blocks // depth) if held else 0):
        block = make_block(rng, held[index % len(held)], size=plan.size, pixel_mm=pixel_mm, slices=depth,
                           bleed=index % 3 > 0, outside_brain=plan.outside_share > 0 and index % 2 > 0)
        moved = moved_hu(block.brain_hu, plan.brain_hu)
        if config.patch:
            images = filled(windowed(block.hu, plan.window_hu, moved), block.labels, depth)[0][None]
        else:
            images = windowed_slices(block.hu, plan.window_hu, config.in_slices, moved_hu=moved)
        labels = labels_with_outside(block) if plan.outside_share else block.labels
        blocks.append((torch.from_numpy(images), labels, block.pixel_mm))
    return blocks


@torch.no_grad()
def validate(model, blocks, device, bf16: bool = False) -> dict:
    """Mean Dice per bleeding block (any blood), pooled IVH Dice, share of clean slices with > 20 mm2 marked; pooled
    Dice of blood outside the brain, of a network that has that class."""
    model.eval()
    network, with_outside = network_of(model.config), model.config.classes > OUTSIDE_BRAIN
    dices, pooled, alarms = [], np.zeros((2, 3)), []
    for images, labels, pixel_mm in blocks:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = losses.logits_by_slice(network.training_outputs(model, images.to(device))[0])
        probabilities = torch.softmax(logits.float(), 1)[:len(labels)].cpu().numpy()
        p_blood = probabilities[:, 1:3].sum(1)
        marked = np.where(p_blood > 0.5, np.where(probabilities[:, 2] > probabilities[:, 1], 2, 1), 0)
        blood = np.isin(labels, (1, 2))
        if blood.any():
            dices.append(2 * ((marked > 0) & blood).sum() / ((marked > 0).sum() + blood.sum()))
        alarms += list((marked > 0).sum((1, 2))[~blood.any((1, 2))] * pixel_mm**2 > 20)
        pooled[0] += _overlap(marked == 2, labels == 2)
        if with_outside:
            known = labels != losses.NOT_IN_BRAIN
            pooled[1] += _overlap((probabilities[:, OUTSIDE_BRAIN] > 0.5) & known, labels == OUTSIDE_BRAIN)
    ivh, outside = (float(2 * both / max(found + true, 1)) for both, found, true in pooled)
    return {"dice": float(np.mean(dices or [0])), "ivh_dice": ivh, "false_alarm": float(np.mean(alarms or [0])),
            **({"outside_dice": outside} if with_outside else {})}


def _overlap(found: np.ndarray, true: np.ndarray) -> list[int]:
    return [int(one.sum()) for one in (found & true, found, true)]
