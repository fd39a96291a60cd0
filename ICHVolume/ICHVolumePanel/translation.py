"""`_()` for the panel: Slicer's translation, or the text as it is where there is no application (tests)."""

try:
    from slicer.i18n import tr
except ImportError:
    def tr(text):
        return text

__all__ = ["tr"]
