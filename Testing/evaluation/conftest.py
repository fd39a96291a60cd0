"""Everything here needs torch."""

import pytest

pytest.importorskip("torch", reason="training needs torch")
