"""Campaigns: the only room where both halves meet, the lake that knows and the records that act."""

from regulars.campaigns.syncing import Synced, sync

__all__ = ["Synced", "sync"]
