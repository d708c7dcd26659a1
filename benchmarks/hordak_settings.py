"""The settings of Django for django-hordak, a peer: a database of its own, and nothing of Shuke's."""

import os

from config import cluster

SECRET_KEY = "it signs nothing"
INSTALLED_APPS = ["django.contrib.contenttypes", "mptt", "hordak"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["HORDAK_DATABASE"],
        "USER": cluster.OWNER,
        "HOST": os.environ["HORDAK_HOST"],
        "PORT": str(cluster.PORT),
        "CONN_MAX_AGE": None,
    }
}
USE_TZ = True
