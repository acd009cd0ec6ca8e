"""Row operations on the weights of sixteen labels at once, as one vector instruction stream.

Sixteen sibling labels that see the same instance differ only in their signs, costs and dual variables.
Keeping their weights of one feature side by side (one 64-byte line) turns the inner products and
updates of sixteen solvers into vector operations. The kernel is built from LLVM vectors because loops
over short arrays are vectorised at the compiler's mood only.

`larix.xmc.linear_solver` calls it; the readable reference it must agree with is in the tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 16
"""Labels solved together: lanes of a vector, floats of a cache line."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_MASK = ir.VectorType(ir.IntType(1), WIDTH)
_INT = ir.IntType(64)
_EPSILON = 1e-12

_FLOATS = types.Array(types.float32, 1, "C")
_INTS = types.Array(types.int32, 1, "C")


@intrinsic
def descend_row(_context, W, alpha, bounds, diagonal, upper, indices, values, numbers, scalars):
    """Do one dual coordinate-descent step of all lanes on one row; return the lanes still live.

    W : float32 array, (features + 1) lines of WIDTH; the last line belongs to the bias feature.
    alpha, diagonal, upper : float32 arrays of lines; dual variables, D_ii of positives, U_i of positives.
    bounds : float32 array, 6 lines: largest and smallest projected gradient allowed (of the pass before),
        largest and smallest seen (this pass), D_ii and U_i of negatives.
    indices, values : the row's features.
    numbers : (begin, end, line of bias, line of alpha, line of diagonal and upper, positive mask, live mask)
    scalars : (bias, squared norm of the row with bias)

    Hsieh et al., ICML 2008, algorithm 3 (shrinking included), for y_l in {+1, -1} of every lane l:
    G = y w.x - 1 + D alpha;  alpha' = min(max(alpha - G / (x.x + D), 0), U);  w += (alpha' - alpha) y x.
    """
    signature = types.int64(W, alpha, bounds, diagonal, upper, indices, values, numbers, scalars)
    return _emit(signature, 5, lambda code: code.step())


@intrinsic
def dot_row(_context, W, out, indices, values, numbers, scalars):
    """Write w.x of every lane, bias included, to the line `out`; numbers = (begin, end, line of bias)."""
    signature = types.void(W, out, indices, values, numbers, scalars)
    return _emit(signature, 2, lambda code: code.store(code.dot(), code.first_line(code.lines[1])))


@intrinsic
def add_row(_context, W, delta, indices, values, numbers, scalars):
    """w += delta x of every lane, bias included; numbers = (begin, end, line of bias)."""
    signature = types.void(W, delta, indices, values, numbers, scalars)
    return _emit(signature, 2, lambda code: code.add(code.load(code.first_line(code.lines[1]))))


def _emit(signature: Any, n_lines: int, write: Any) -> Any:
    """An intrinsic over `n_lines` arrays of lines (W first), a row's features, numbers and scalars."""
    if signature.args[: n_lines + 2] != (*[_FLOATS] * n_lines, _INTS, _FLOATS):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        n_arrays = n_lines + 2
        pointers = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(sig.args[:n_arrays], args[:n_arrays], strict=True)
        ]
        numbers, scalars = (cgutils.unpack_tuple(builder, value) for value in args[n_arrays:])
        result = write(_RowCode(builder, pointers[:n_lines], *pointers[n_lines:], numbers, scalars))
        return context.get_dummy_value() if result is None else result

    return signature, codegen


class _RowCode:
    """Emits instructions over one row of features and lines of weights."""

    def __init__(
        self,
        builder: Any,
        lines: list[Any],
        indices: Any,
        values: Any,
        numbers: list[Any],
        scalars: list[Any],
    ) -> None:
        self.b = builder
        self.lines, self.indices, self.values = lines, indices, values
        self.W = lines[0]
        self.begin, self.end, self.bias_line, *self.numbers = numbers
        self.bias, *self.scalars = scalars

    def step(self) -> Any:
        """The body of `descend_row`."""
        b = self.b
        _, alpha_lines, bounds, diagonal, upper = self.lines
        row, cost_row, positive, live = self.numbers
        positive, live = self.mask(positive), self.mask(live)
        one, zero = self.spread(1.0), self.spread(0.0)
        y = b.select(positive, one, self.spread(-1.0))
        alpha_at = self.line(alpha_lines, row)
        alpha = self.load(alpha_at)
        largest, smallest, _, _, D_negative, U_negative = (
            self.load(self.line(bounds, ir.Constant(_INT, i))) for i in range(6)
        )
        D = b.select(positive, self.load(self.line(diagonal, cost_row)), D_negative)
        U = b.select(positive, self.load(self.line(upper, cost_row)), U_negative)

        G = b.fadd(b.fsub(b.fmul(y, self.dot()), one), b.fmul(alpha, D))
        at_lower, at_upper = b.fcmp_ordered("==", alpha, zero), b.fcmp_ordered(">=", alpha, U)
        shrinks = b.or_(
            b.and_(at_lower, b.fcmp_ordered(">", G, largest)),
            b.and_(at_upper, b.fcmp_ordered("<", G, smallest)),
        )
        live = b.and_(live, b.not_(shrinks))
        PG = b.select(b.and_(at_lower, b.fcmp_ordered(">=", G, zero)), zero, G)
        PG = b.select(b.and_(at_upper, b.fcmp_ordered("<=", G, zero)), zero, PG)
        self.widen(self.line(bounds, ir.Constant(_INT, 2)), ">", PG, live)
        self.widen(self.line(bounds, ir.Constant(_INT, 3)), "<", PG, live)

        newton = b.fdiv(G, b.fadd(self.vector(self.scalars[0]), D))
        moved = self.clip(b.fsub(alpha, newton), zero, U)
        size = b.select(b.fcmp_ordered("<", PG, zero), b.fneg(PG), PG)
        moves = b.and_(live, b.fcmp_ordered(">", size, self.spread(_EPSILON)))
        delta = b.select(moves, b.fmul(b.fsub(moved, alpha), y), zero)
        with b.if_then(b.icmp_unsigned("!=", self.bits(moves), ir.Constant(ir.IntType(WIDTH), 0))):
            self.store(b.select(moves, moved, alpha), alpha_at)
            self.add(delta)
        return b.zext(self.bits(live), _INT)

    def dot(self) -> Any:
        """w.x of every lane, bias included."""
        start = self.b.fmul(self.load(self.line(self.W, self.bias_line)), self.vector(self.bias))
        total = cgutils.alloca_once_value(self.b, start)
        with self.features() as (at, value):
            self.b.store(self.fma(self.load(at), value, self.b.load(total)), total)
        return self.b.load(total)

    def add(self, delta: Any) -> None:
        """w += delta x, bias included."""
        at = self.line(self.W, self.bias_line)
        self.store(self.fma(delta, self.vector(self.bias), self.load(at)), at)
        with self.features() as (at, value):
            self.store(self.fma(delta, value, self.load(at)), at)

    @contextmanager
    def features(self) -> Iterator[tuple[Any, Any]]:
        """Loop over the row's features: (address of the feature's line of W, its value in all lanes)."""
        b = self.b
        with cgutils.for_range_slice(b, self.begin, self.end, ir.Constant(_INT, 1)) as (position, _):
            feature = b.sext(b.load(b.gep(self.indices, [position])), _INT)
            yield self.line(self.W, feature), self.vector(b.load(b.gep(self.values, [position])))

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        x = self.b.select(self.b.fcmp_ordered("<", x, low), low, x)
        return self.b.select(self.b.fcmp_ordered(">", x, high), high, x)

    def widen(self, seen_at: Any, relation: str, PG: Any, live: Any) -> None:
        seen = self.load(seen_at)
        wider = self.b.and_(live, self.b.fcmp_ordered(relation, PG, seen))
        self.store(self.b.select(wider, PG, seen), seen_at)

    def first_line(self, base: Any) -> Any:
        return self.line(base, ir.Constant(_INT, 0))

    def line(self, base: Any, index: Any) -> Any:
        offset = self.b.mul(index, ir.Constant(_INT, WIDTH))
        return self.b.bitcast(self.b.gep(base, [offset]), _VECTOR.as_pointer())

    def load(self, at: Any) -> Any:
        return self.b.load(at, align=64)

    def store(self, value: Any, at: Any) -> None:
        self.b.store(value, at, align=64)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return self.b.call(
            cgutils.get_or_insert_function(self.b.module, kind, f"llvm.fma.v{WIDTH}f32"), [x, y, z]
        )

    def mask(self, number: Any) -> Any:
        return self.b.bitcast(self.b.trunc(number, ir.IntType(WIDTH)), _MASK)

    def bits(self, mask: Any) -> Any:
        return self.b.bitcast(mask, ir.IntType(WIDTH))

    def vector(self, scalar: Any) -> Any:
        first = self.b.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return self.b.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), zeros)

    def spread(self, number: float) -> Any:
        return ir.Constant(_VECTOR, [float(np.float32(number))] * WIDTH)


@njit(nogil=True, cache=True)
def aligned_lines(n_lines, value):
    """`n_lines` lines of WIDTH float32, each on its own 64-byte cache line, filled with `value`."""
    buffer = np.empty((n_lines + 1) * WIDTH, np.float32)
    skip = (64 - buffer.ctypes.data % 64) % 64 // 4
    lines = buffer[skip : skip + n_lines * WIDTH]
    lines[:] = value
    return lines
