"""nginx for tests: all that it writes is below its prefix."""

ANSWER = b"nginx serves"
CONFIGURATION = """
daemon {daemon};
worker_processes 2;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "nginx serves\\n"; }} }}
}}
"""


def configuration(port, daemon=False):
    """`daemon`: it goes to the background by itself."""
    return CONFIGURATION.format(port=port, daemon="on" if daemon else "off")
