"""Point a client with Schwab's address in its code at another server: its string constants change, nothing else."""

import inspect
from types import FunctionType, ModuleType

SCHWAB = "https://api.schwabapi.com"


def point_at(url: str, *modules: ModuleType) -> int:
    """Replace Schwab's address in the constants of modules, their classes and functions; how many there were."""
    return sum(_point(owner, module, url) for module in modules for owner in _owners(module))


def _owners(module: ModuleType) -> list[object]:
    return [module, *(item for item in vars(module).values() if inspect.isclass(item) and _is_of(item, module))]


def _point(owner: object, module: ModuleType, url: str) -> int:
    count = 0
    for name, value in list(vars(owner).items()):
        if isinstance(value, str) and value.startswith(SCHWAB):
            setattr(owner, name, value.replace(SCHWAB, url))
            count += 1
        elif inspect.isfunction(value) and _is_of(value, module):
            count += _point_function(value, url)
    return count


def _point_function(function: FunctionType, url: str) -> int:
    constants = function.__code__.co_consts
    swapped = tuple(item.replace(SCHWAB, url) if isinstance(item, str) else item for item in constants)
    function.__code__ = function.__code__.replace(co_consts=swapped)
    return sum(one != other for one, other in zip(constants, swapped, strict=True))


def _is_of(item: object, module: ModuleType) -> bool:
    return getattr(item, "__module__", None) == module.__name__
