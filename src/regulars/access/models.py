"""The records of access. Private to this room."""

from django.db import models

from regulars.records.fields import text


class Store(models.Model):
    """A place where vouchers are taken, and its clock."""

    store_id = text(primary_key=True)
    zone = text()
    day_closes_at = text(5, default="04:00")


class Till(models.Model):
    """Who may ask: a point of sale, an app, a colleague's script. digest: of the secret, which is shown once. stores: where,
    null for everywhere. is_sandbox: nothing it asks is kept."""

    till_id = text(32, primary_key=True)
    name = text(100)
    digest = text(64)
    scopes = models.JSONField()
    stores = models.JSONField(null=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    is_sandbox = models.BooleanField(default=False)
