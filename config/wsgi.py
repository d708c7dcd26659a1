"""The web application, as gunicorn and other servers load it."""

import os

from django.core.wsgi import get_wsgi_application

from config import checks, database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
database.come_in()
checks.refuse_unless_ready()
