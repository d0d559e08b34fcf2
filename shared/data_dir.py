"""The folder of the embedded database, its keys, its log; and whose files these are when root made them."""

import os
from pathlib import Path


def make_data_dir(data_dir: Path) -> None:
    """Makes the folder if there is none: private to an ordinary user; for root, open to pass through.

    Root needs that because PostgreSQL runs as somebody else. A root that is a user's sudo makes it the user's.
    """
    try:
        data_dir.mkdir(parents=True)
    except FileExistsError:
        return
    user = int(os.environ.get("SUDO_UID", "0"))
    if os.geteuid() == 0 and user != 0:
        os.chown(data_dir, user, int(os.environ.get("SUDO_GID", "-1")))
    data_dir.chmod(0o711 if os.geteuid() == 0 and user == 0 else 0o700)


def give_to_owner(descriptor: int, data_dir: Path) -> None:
    """A file that root makes in a user's folder becomes the user's, who needs it the next time."""
    if os.geteuid() == 0:
        owner = data_dir.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
