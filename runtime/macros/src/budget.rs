//! Where the looks at the guard go.
//!
//! 1. One budget for all loops of a function: an inner loop of few rounds spends from the same as the outer one, so
//!    that no nesting multiplies the distance between two looks. It is a local number, which the compiler keeps in a register.
//! 2. A round of a loop spends at its very beginning, as the first statement of the body: `break` with or without a value,
//!    `continue`, labels, types and borrows are untouched.
//! 3. A closure has a budget of its own, if it has loops: it may run elsewhere, and borrowing the function's would change what it
//!    is (`Copy`, `Send`, `'static`).
//! 4. Nothing else is entered: items, constants and async blocks inside the function are not its own code, and tokens of macros
//!    are nobody's until they are expanded.
//! 5. The names are invisible to the code around them (mixed-site hygiene).

use proc_macro2::{Ident, Span};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprAsync, ExprClosure, ExprConst, ExprForLoop, ExprLoop, ExprRepeat, ExprWhile, Item,
    ItemFn, Pat, Stmt, Type, parse_quote,
};

/// A look at the guard on entry, and one for every so many rounds of its loops.
pub(crate) fn insert(function: &mut ItemFn) {
    let rounds = spend_in(&mut *function.block);
    let mut first: Vec<Stmt> = vec![parse_quote! { ::sigurg::__private::safe_point(); }];
    first.extend(rounds.then(budget));
    function.block.stmts.splice(0..0, first);
}

fn name() -> Ident {
    Ident::new("__sigurg_budget", Span::mixed_site())
}

fn budget() -> Stmt {
    let name = name();
    parse_quote! { let mut #name = ::sigurg::__private::Budget::new(); }
}

/// Something with loops in it.
trait Walk {
    fn walk(&mut self, rounds: &mut Rounds);
}

impl Walk for Block {
    fn walk(&mut self, rounds: &mut Rounds) {
        rounds.visit_block_mut(self);
    }
}

impl Walk for Expr {
    fn walk(&mut self, rounds: &mut Rounds) {
        rounds.visit_expr_mut(self);
    }
}

/// Whether there are loops in `code`; each of their rounds spends now.
fn spend_in(code: &mut impl Walk) -> bool {
    let mut rounds = Rounds { any: false };
    code.walk(&mut rounds);
    rounds.any
}

/// The walk.
struct Rounds {
    any: bool,
}

impl Rounds {
    fn spend(&mut self, body: &mut Block) {
        self.any = true;
        let name = name();
        body.stmts.insert(0, parse_quote! { #name.spend(); });
    }
}

impl VisitMut for Rounds {
    fn visit_expr_for_loop_mut(&mut self, node: &mut ExprForLoop) {
        visit_mut::visit_expr_for_loop_mut(self, node);
        self.spend(&mut node.body);
    }

    fn visit_expr_while_mut(&mut self, node: &mut ExprWhile) {
        visit_mut::visit_expr_while_mut(self, node);
        self.spend(&mut node.body);
    }

    fn visit_expr_loop_mut(&mut self, node: &mut ExprLoop) {
        visit_mut::visit_expr_loop_mut(self, node);
        self.spend(&mut node.body);
    }

    fn visit_expr_closure_mut(&mut self, node: &mut ExprClosure) {
        if node.asyncness.is_some() || node.constness.is_some() || !spend_in(&mut *node.body) {
            return;
        }
        let (first, body) = (budget(), &mut *node.body);
        match body {
            Expr::Block(block) if block.label.is_none() => block.block.stmts.insert(0, first),
            other => *other = parse_quote! {{ #first #other }},
        }
    }

    fn visit_expr_repeat_mut(&mut self, node: &mut ExprRepeat) {
        // The length is a constant.
        self.visit_expr_mut(&mut node.expr);
    }

    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}

    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}

    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_type_mut(&mut self, _: &mut Type) {}

    fn visit_pat_mut(&mut self, _: &mut Pat) {}

    fn visit_path_mut(&mut self, _: &mut syn::Path) {}
}
