"""MONAI, the optional extra that UNet++, 3D U-Net and UNETR are taken from."""

from importlib.util import find_spec

from .base import PackageMissing

WITHOUT = ("The network {title} needs {missing}, an optional extra (Apache-2.0 and MIT); install it with "
           "`pip install monai einops`, or `pip install .[networks]` in ICHVolume's folder, or choose another network.")


def require_monai(title: str, *more: str) -> None:
    """Raises PackageMissing, an ImportError, unless torch, MONAI and the packages `more` are installed."""
    missing = [name for name in ("torch", "monai", *more) if find_spec(name) is None]
    if missing:
        raise PackageMissing(WITHOUT.format(title=title, missing=" and ".join(missing)))
