"""Ask for memory before it is read."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def prefetch(_context, array, index):
    """Start to load the cache line of `array[index]`; out of bounds is harmless."""
    if not isinstance(array, types.Array) or not isinstance(index, types.Integer):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        position = context.cast(builder, args[1], signature.args[1], types.intp)
        address = builder.bitcast(builder.gep(data, [position]), ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, flag, flag, flag])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        for_reading, keep_close, data_cache = (ir.Constant(flag, value) for value in (0, 3, 1))
        builder.call(function, [address, for_reading, keep_close, data_cache])
        return context.get_dummy_value()

    return types.void(array, index), codegen
