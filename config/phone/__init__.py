"""The technician's phone, at `/t/`: pages to install, that read what they have seen and queue what is done offline.

docs/phone.md tells how; static/backline/js/phone/ is the other half.
"""
