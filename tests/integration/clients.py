"""Python's SSH clients: clients.py paramiko|asyncssh ALIAS CONFIG.

Runs a command, copies a file both ways, and prints what they said.
"""

import asyncio
import os
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")

DATA = os.urandom(300000)


def known_hosts(alias):
    """Neither of them expands %h there."""
    return os.path.expanduser(f"~/.cache/sandbox-ssh/{alias}/known_hosts")


def with_paramiko(alias, config):
    import paramiko

    found = paramiko.SSHConfig.from_path(config).lookup(alias)
    client = paramiko.SSHClient()
    client.load_host_keys(known_hosts(alias))
    client.connect(
        alias,
        username=found["user"],
        sock=paramiko.ProxyCommand(found["proxycommand"]),
        key_filename=found["identityfile"],
        allow_agent=False,
        look_for_keys=False,
    )
    _, out, _ = client.exec_command("hostname; id -un; exit 7")
    said = out.read().decode().split()
    print(*said, out.channel.recv_exit_status())
    sftp = client.open_sftp()
    with sftp.open("workspace/data", "wb") as f:
        f.write(DATA)
    with sftp.open("workspace/data", "rb") as f:
        assert f.read() == DATA
    # In the other one's place: the host key must be refused.
    other = paramiko.SSHClient()
    try:
        other.connect(
            alias,
            username=found["user"],
            sock=paramiko.ProxyCommand(found["proxycommand"]),
            key_filename=found["identityfile"],
        )
    except paramiko.SSHException as e:
        assert "not found in known_hosts" in str(e), e
    else:
        raise AssertionError("an unknown host key was taken")
    client.close()


async def with_asyncssh(alias, config):
    import asyncssh

    async with asyncssh.connect(
        alias, config=[config], known_hosts=known_hosts(alias)
    ) as client:
        done = await client.run("hostname; id -un; exit 7")
        print(*done.stdout.split(), done.exit_status)
        async with client.start_sftp_client() as sftp:
            async with sftp.open("workspace/data", "wb") as f:
                await f.write(DATA)
            async with sftp.open("workspace/data", "rb") as f:
                assert await f.read() == DATA


which, alias, config = sys.argv[1:]
# Neither runs Match exec as ssh does: credentials first.
subprocess.run(["sandbox-proxy", "prepare", alias], check=True)
if which == "paramiko":
    with_paramiko(alias, config)
else:
    asyncio.run(with_asyncssh(alias, config))
