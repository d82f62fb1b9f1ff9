"""Fresh workspaces: an earlier demo's is put away, anything else is left alone."""

import shutil
from pathlib import Path
from typing import Any

from regulars.errors import DataError
from regulars.tables import Lake


def fresh_lake(folder: Path, **settings: Any) -> Lake:
    """A new workspace. Raises DataError where the folder holds something that is not an earlier demo."""
    mark = folder / ".demo"
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists():
            raise DataError(f"{folder}: holds something that is not an earlier demo; name another folder")
        shutil.rmtree(folder)
    lake = Lake.create(folder, salt="demo", **settings)
    mark.write_text("made by `regulars demo`, which puts it away when it runs again\n", encoding="utf-8")
    return lake
