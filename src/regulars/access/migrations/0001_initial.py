import regulars.records.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Store',
            fields=[
                ('store_id', regulars.records.fields.Text(max_length=64, primary_key=True, serialize=False)),
                ('zone', regulars.records.fields.Text(max_length=64)),
                ('day_closes_at', regulars.records.fields.Text(default='04:00', max_length=5)),
            ],
        ),
        migrations.CreateModel(
            name='Till',
            fields=[
                ('till_id', regulars.records.fields.Text(max_length=32, primary_key=True, serialize=False)),
                ('name', regulars.records.fields.Text(max_length=100)),
                ('digest', regulars.records.fields.Text(max_length=64)),
                ('scopes', models.JSONField()),
                ('stores', models.JSONField(null=True)),
                ('made_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
    ]
