"""The source of the data that a model was trained on, as cards name it.

A data set is named only where the checksums of the files are those of the published ones, where it is on the Hub
under a name of its own, or where whoever pushes names it. All other data are own data, whatever their form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .connection import HubError
from .results import PRIVATE

#: Data sets whose form is read, by its keyword: their names and addresses.
DATASETS = {"mnre": ("MNRE", "https://github.com/thecharm/MNRE"), "more": ("MORE", "https://github.com/NJUNLP/MORE")}
#: sha256 of the published text files of MNRE v2: train, validation, test. Of MORE's none are known.
MNRE_CHECKSUMS = frozenset(
    {
        "1cc34438a00e2a2db73e4eba297820f926f62abd1fddc693caa13c58b62428b7",
        "c76865179b5678167b164c21fd25ed31f9a1416da393ac93ce70f32b00352b75",
        "f53c2f9b7739bea7d08aee4a91bfd6ec7432e1d0eeb83debf10f5d3291bc5215",
    }
)
OWN = "own data"


@dataclass(frozen=True)
class DataSource:
    """Data, as a card names them.

    Args:
        name: Their name.
        url: Their address, or None.
        known: Their key in `DATASETS`, or None.
        by_checksum: Whether the files have the checksums of the published ones.
        of_user: Whether whoever pushes has named them.
    """

    name: str
    url: str | None = None
    known: str | None = None
    by_checksum: bool = False
    of_user: bool = False

    @property
    def link(self) -> str:
        """The name, with its address where there is one."""
        return f"[{self.name}]({self.url})" if self.url else self.name

    @property
    def type(self) -> str:
        """The name as the Hub's metadata spell it; that of a repository there is unchanged."""
        on_hub = self.url is not None and self.url.endswith(f"/datasets/{self.name}")
        return self.name if on_hub else "-".join(self.name.lower().split())


def find_source(data: Mapping[str, str] | None, name: str | None = None, url: str | None = None) -> DataSource | None:
    """Finds the name of data.

    Args:
        data: Checksums by file, or name and revision of a repository on the Hub, as result files hold them; None if
            nothing is known of them.
        name, url: Their name and address by whoever pushes.

    Returns:
        None where nothing is known and no name was given.

    Raises:
        HubError: The name is blank, or there is an address without a name, or one that is none of the web's.
    """
    _check_name(name, url)
    published = data is not None and set(data.values()) >= MNRE_CHECKSUMS
    if name:
        known = "mnre" if published else next((key for key in DATASETS if key == name.strip().lower()), None)
        return DataSource(name.strip(), url or (DATASETS[known][1] if known else None), known, published, of_user=True)
    if data is None:
        return None
    if published:
        return DataSource(*DATASETS["mnre"], "mnre", by_checksum=True)
    repository = data.get("dataset")
    if repository is None:
        return DataSource(OWN)
    if repository == PRIVATE:
        return DataSource("a private data set")
    return DataSource(repository, f"https://huggingface.co/datasets/{repository}")


def _check_name(name: str | None, url: str | None) -> None:
    if name is not None and not name.strip():
        raise HubError("--dataset-name is blank; say what the data are called, or leave it out.")
    if url is None:
        return
    if name is None:
        raise HubError(f"--dataset-url {url!r} is the address of data without a name; add --dataset-name.")
    if not url.startswith(("https://", "http://")):
        raise HubError(f"--dataset-url is {url!r}; write an address that begins with https://.")
