# Messages to endpoints are verified by the public libraries of the Standard Webhooks specification, that of PyPI and that of npm,
# both installed from their registries, and what they sign is taken. What is changed by one byte does not verify and is not taken.
apt_install npm nodejs npm
libraries=$target/standardwebhooks
[ -x "$libraries/python/bin/python" ] || python3 -m venv "$libraries/python"
"$libraries/python/bin/pip" install --quiet standardwebhooks
npm install --silent --no-audit --no-fund --prefix "$libraries" standardwebhooks
cargo build -q
RELATA_BIN="$target/debug/relata" NODE_PATH="$libraries/node_modules" PYTHONPATH=tests/long "$libraries/python/bin/python" tests/long/webhooks.py "${RELATA_MESSAGES:-200}"
