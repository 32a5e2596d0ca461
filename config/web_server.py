"""How gunicorn serves the application: gunicorn -c python:config.web_server config.wsgi"""

from config import environment, logs

bind = f"{environment.text('BIND', '127.0.0.1')}:{environment.number('PORT', 8000, minimum=1, maximum=65535)}"
worker_class = "gthread"  # threads keep their database connections, which is most of what a small request costs
workers = environment.number("WEB_WORKERS", 2, minimum=1, maximum=64)
threads = environment.number("WEB_THREADS", 4, minimum=1, maximum=64)
timeout = 60
graceful_timeout = 10
control_socket_disable = True
logconfig_dict = logs.configuration(as_json=environment.text("BACKLINE_ENV") == "production", level="INFO")
