"""One coordinate-descent step for sixteen labels at once, as one vector instruction stream.

Sixteen sibling labels that see the same instance differ only in their signs, costs and dual variables.
Keeping their weights of one feature side by side (one 64-byte line) turns the inner products and
updates of sixteen solvers into vector operations. The kernel is built from LLVM vectors because loops
over short arrays are vectorised at the compiler's mood only.

`larix.xmc.linear_solver` calls it; the readable reference it must agree with is in the tests.
"""

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
    numbers : (begin, end, line of alpha, line of diagonal and upper, line of bias, positive mask, live mask)
    scalars : (bias, squared norm of the row with bias)

    Hsieh et al., ICML 2008, algorithm 3 (shrinking included), for y_l in {+1, -1} of every lane l:
    G = y w.x - 1 + D alpha;  alpha' = min(max(alpha - G / (x.x + D), 0), U);  w += (alpha' - alpha) y x.
    """
    signature = types.int64(W, alpha, bounds, diagonal, upper, indices, values, numbers, scalars)
    if (W, alpha, bounds, diagonal, upper, indices, values) != (*[_FLOATS] * 5, _INTS, _FLOATS):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointers = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(sig.args[:7], args[:7], strict=True)
        ]
        numbers = cgutils.unpack_tuple(builder, args[7])
        scalars = cgutils.unpack_tuple(builder, args[8])
        return _Step(builder, pointers, numbers, scalars).build()

    return signature, codegen


class _Step:
    """Emits the instructions of `descend_row`."""

    def __init__(self, builder: Any, pointers: list[Any], numbers: list[Any], scalars: list[Any]) -> None:
        self.b = builder
        (self.W, self.alpha, self.bounds, self.diagonal, self.upper, self.indices, self.values) = pointers
        (self.begin, self.end, self.row, self.cost_row, self.bias_line, positive, live) = numbers
        self.bias, self.squared_norm = scalars
        self.positive, self.live = self.mask(positive), self.mask(live)

    def build(self) -> Any:
        b = self.b
        one, zero = self.spread(1.0), self.spread(0.0)
        y = b.select(self.positive, one, self.spread(-1.0))
        alpha_at = self.line(self.alpha, self.row)
        alpha = self.load(alpha_at)
        D = b.select(self.positive, self.load(self.line(self.diagonal, self.cost_row)), self.bound(4))
        U = b.select(self.positive, self.load(self.line(self.upper, self.cost_row)), self.bound(5))

        G = b.fadd(b.fsub(b.fmul(y, self.dot()), one), b.fmul(alpha, D))
        at_lower, at_upper = b.fcmp_ordered("==", alpha, zero), b.fcmp_ordered(">=", alpha, U)
        shrinks = b.or_(
            b.and_(at_lower, b.fcmp_ordered(">", G, self.bound(0))),
            b.and_(at_upper, b.fcmp_ordered("<", G, self.bound(1))),
        )
        live = b.and_(self.live, b.not_(shrinks))
        negative, positive = b.fcmp_ordered("<", G, zero), b.fcmp_ordered(">", G, zero)
        PG = b.select(b.and_(at_lower, b.not_(negative)), zero, G)
        PG = b.select(b.and_(at_upper, b.not_(positive)), zero, PG)
        self.widen(2, ">", PG, live)
        self.widen(3, "<", PG, live)

        step = b.fdiv(G, b.fadd(self.vector(self.squared_norm), D))
        moved = self.clip(b.fsub(alpha, step), zero, U)
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

    def features(self) -> Any:
        """Loop over the row's features: (address of the feature's line of W, its value in all lanes)."""
        return _RowLoop(self)

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        x = self.b.select(self.b.fcmp_ordered("<", x, low), low, x)
        return self.b.select(self.b.fcmp_ordered(">", x, high), high, x)

    def widen(self, index: int, relation: str, PG: Any, live: Any) -> None:
        seen = self.bound(index)
        wider = self.b.and_(live, self.b.fcmp_ordered(relation, PG, seen))
        self.store(self.b.select(wider, PG, seen), self.line(self.bounds, ir.Constant(_INT, index)))

    def bound(self, index: int) -> Any:
        return self.load(self.line(self.bounds, ir.Constant(_INT, index)))

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


class _RowLoop:
    def __init__(self, step: _Step) -> None:
        self.step = step
        self.loop = cgutils.for_range_slice(step.b, step.begin, step.end, ir.Constant(_INT, 1))

    def __enter__(self) -> tuple[Any, Any]:
        b = self.step.b
        position, _ = self.loop.__enter__()
        feature = b.sext(b.load(b.gep(self.step.indices, [position])), _INT)
        value = b.load(b.gep(self.step.values, [position]))
        return self.step.line(self.step.W, feature), self.step.vector(value)

    def __exit__(self, *error: Any) -> None:
        self.loop.__exit__(*error)


@njit(nogil=True, cache=True)
def aligned_lines(n_lines, value):
    """`n_lines` lines of WIDTH float32, each on its own 64-byte cache line, filled with `value`."""
    buffer = np.empty((n_lines + 1) * WIDTH, np.float32)
    skip = (64 - buffer.ctypes.data % 64) % 64 // 4
    lines = buffer[skip : skip + n_lines * WIDTH]
    lines[:] = value
    return lines
