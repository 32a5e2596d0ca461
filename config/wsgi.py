"""The application for WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

from config.bodies import WithLength

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = WithLength(get_wsgi_application())
