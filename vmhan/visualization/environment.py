"""The Jinja2 environment of drawings: whatever a template prints is escaped, and whatever it lacks is an error."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

#: The folder of this package's own templates, for environments that include them.
TEMPLATES = Path(__file__).parent / "templates"


def template_environment(*folders: Path) -> Environment:
    """Builds an environment whose templates are escaped and know the filters `fixed` and `percent`.

    Args:
        folders: Where templates are searched, in this order.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(fixed=_fixed, percent=_percent)
    return environment


def _fixed(number: float, digits: int = 0) -> str:
    """Formats a number with so many digits after its point."""
    return f"{number:.{digits}f}"


def _percent(share: float, digits: int = 0) -> str:
    """Formats a share of 1 in percent."""
    return f"{share:.{digits}%}"


__all__ = ["TEMPLATES", "template_environment"]
