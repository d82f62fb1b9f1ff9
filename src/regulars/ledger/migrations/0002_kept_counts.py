import regulars.records.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='entry',
            name='counts',
            field=regulars.records.fields.Text(max_length=200, null=True),
        ),
        migrations.AlterField(
            model_name='entry',
            name='guest_id',
            field=regulars.records.fields.Text(max_length=400, null=True),
        ),
    ]
