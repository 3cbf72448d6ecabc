from tests.sandbox.api import Api
from tests.tools.agent import Agent


async def test_only_a_video_call_says_whether_it_is_connected(agent: Agent, api: Api) -> None:
    answer = await agent.call("list_user_meeting_locations")
    kinds = {row["kind"]: row.get("connected") for row in answer["collection"]}
    assert (kinds["zoom_conference"], kinds["webex_conference"], kinds["physical"]) == (True, False, None)
    assert agent.sent[-1].query == {"user": (await api.me())["uri"]}
