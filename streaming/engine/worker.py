"""The process that computes: `python -m streaming.engine.worker`, fed over its standard input until that closes."""

import gc
import traceback
from typing import Final

from streaming.engine.protocol import (
    ENCODER,
    ORDERS,
    Ahead,
    Answer,
    Compute,
    Computed,
    Load,
    Near,
    NearSymbols,
    Order,
    OrderRefused,
    Ready,
    Rehearse,
    Setup,
    Take,
)
from streaming.engine.room import EngineRoom
from streaming.errors import GexcordError
from streaming.process.framing import frame, take_pipes

_COLLECT_EVERY: Final = 1000
_LONGEST_REASON: Final = 500
_QUIET_S: Final = 0.02
"""Without orders for this long there is time for what may be done ahead; tickers often come one after another."""


def main() -> None:
    """Carry out orders one after another; one that fails is answered with its reason and is not the end."""
    pipe, answers = take_pipes()
    gc.freeze()
    gc.disable()  # chains are freed by counting; a collection in the middle of an order would delay it
    desk, orders = OrderDesk(), 0
    while (body := pipe.read()) is not None:
        order = ORDERS.decode(body)
        payload = pipe.read() if isinstance(order, Load) else b""
        if payload is None:
            return
        answer = desk.carry_out(order, payload)
        if answer is not None:
            answers.write(frame(ENCODER.encode(answer)))
            answers.flush()
        while not pipe.is_waiting(_QUIET_S) and desk.tidy():
            pass
        orders += 1
        if orders % _COLLECT_EVERY == 0:
            gc.collect()


class OrderDesk:
    """The room of engines behind the pipe."""

    def __init__(self) -> None:
        self._room = EngineRoom((), scope="full")

    def carry_out(self, order: Order, payload: bytes) -> Answer | None:
        """The answer to an order; None where none is due."""
        try:
            return self._answer(order, payload)
        except Exception as error:  # noqa: BLE001  # one bad order must not cost the next one its engines
            if isinstance(error, GexcordError):
                return OrderRefused(type(error).__name__, str(error)[:_LONGEST_REASON], error.remedy)
            traceback.print_exc()
            if isinstance(order, Take | Rehearse):
                return None
            return OrderRefused(type(error).__name__, str(error)[:_LONGEST_REASON])

    def tidy(self) -> bool:
        """Use a moment without orders; False when there is nothing to do."""
        try:
            return self._room.tidy()
        except Exception:  # noqa: BLE001  # the next order will meet the same trouble, and can answer
            traceback.print_exc()
            return False

    def _answer(self, order: Order, payload: bytes) -> Answer | None:
        room = self._room
        answer: Answer | None = None
        match order:
            case Setup():
                self._room, answer = EngineRoom(order.tickers, scope=order.scope, volatility=order.volatility), Ready()
            case Load():
                answer = room.load(order, payload)
            case Take():
                room.take(order.spots, order.quotes, order.trades)
            case Compute():
                answer = Computed(room.compute(order.ticker, order.now))
            case Rehearse():
                ENCODER.encode(Computed(room.rehearse(order.ticker, order.now)))
            case Near():
                answer = NearSymbols(room.near_symbols(order.per_underlying))
            case Ahead():
                answer = room.map_ahead(order.ticker, newer_than_ms=order.newer_than_ms)
        return answer


if __name__ == "__main__":
    main()
