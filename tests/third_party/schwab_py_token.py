"""schwab-py opens a token file that another program wrote and asks for data with it; told as a JSON document.

Arguments: the simulator's address, app key, app secret, the token file.
"""

import json
import sys

import rehost
import schwab


def main() -> None:
    url, key, secret, path = sys.argv[1:]
    rehost.point_at(url, schwab.auth, schwab.client.synchronous)
    client = schwab.auth.client_from_token_file(path, key, secret)
    told = {"age_s": client.token_age(), "status": client.get_user_preferences().status_code}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
