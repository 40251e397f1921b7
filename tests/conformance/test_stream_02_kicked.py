"""Code 12: another session took over. Stop and tell, do not fight; an operator takes it back."""

import asyncio
import json

from websockets.asyncio.client import connect

from tests.support.stream_rig import client_rig, until


async def _other_program(rig):
    """Another program of the same user logs in."""
    info = await rig.client._rest.user_preference()
    request = {
        "service": "ADMIN",
        "command": "LOGIN",
        "requestid": "0",
        "SchwabClientCustomerId": info.customer_id,
        "SchwabClientCorrelId": info.correl_id,
        "parameters": {
            "Authorization": await rig.auth.access_token(),
            "SchwabClientChannel": info.channel,
            "SchwabClientFunctionId": info.function_id,
        },
    }
    socket = await connect(info.url)
    await socket.send(json.dumps({"requests": [request]}))
    return socket


async def test_the_newest_session_is_left_alone_until_an_operator_takes_the_stream_back(tmp_path):
    async with client_rig(tmp_path) as rig:
        await until(lambda: rig.state == "live")
        other = await _other_program(rig)
        await until(lambda: rig.state == "taken_over")
        await asyncio.sleep(0.3)
        assert rig.sim.counters["logins"] == 2
        assert len(rig.alarms) == 1 and "taken over" in rig.alarms[0]
        assert "code 12" in rig.client.status.last_close
        assert rig.client.status.retry_in_s > 1700
        rig.client.retry_now()
        await until(lambda: rig.state == "live")
        await asyncio.wait_for(other.wait_closed(), 2)
