/**
 * Imported before onnxruntime-node, for what it does: with JavaScript's own Float16Array, which Node has since 24, the
 * library's native part sees float16 tensors as empty ("expected 4, got 0"). Without it float16 is bits in a Uint16Array.
 */
Reflect.deleteProperty(globalThis, 'Float16Array');
