"""How gunicorn serves the application: gunicorn -c python:config.web_server config.wsgi"""

from config import environment, logs

bind = f"{environment.text('BIND', '127.0.0.1')}:{environment.number('PORT', 8000, minimum=1, maximum=65535)}"
# Threads keep their database connections, which is most of what a small request costs.
worker_class = "config.web_worker.GatheringWorker"
workers = environment.number("WEB_WORKERS", 2, minimum=1, maximum=64)
threads = environment.number("WEB_THREADS", 4, minimum=1, maximum=64)
timeout = 60
graceful_timeout = 10
control_socket_disable = True
# Nobody is believed who says in a header what was asked for, or how: not a client on this machine; and a proxy need not
# be, for what BEHIND_PROXY trusts is read by the settings.
forwarded_allow_ips = ""
forwarder_headers = ""
logconfig_dict = logs.configuration(as_json=environment.text("BACKLINE_ENV") == "production", level="INFO")
