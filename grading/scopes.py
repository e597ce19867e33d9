"""The scopes of a text, in which its names are bound."""

from __future__ import annotations

import ast
import symtable

AT_ONCE = "genexpr"  # the scope of a generator; what is in it counts as run where it stands


class AsGenerators(ast.NodeTransformer):
    """Makes generators of comprehensions, whose names Python 3.12 counts as those around them."""

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.GeneratorExp:
        """Keep the element and where it is taken from."""
        self.generic_visit(node)
        return ast.GeneratorExp(node.elt, node.generators)

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.GeneratorExp:
        """Keep the key and the value, as a pair."""
        self.generic_visit(node)
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return ast.GeneratorExp(pair, node.generators)


def scopes_of(text: str) -> symtable.SymbolTable:
    """
    Return the outermost scope, in which a comprehension has one of its own.

    Raises
    ------
    SyntaxError
    """
    return symtable.symtable(ast.unparse(AsGenerators().visit(ast.parse(text))), "cell", "exec")
