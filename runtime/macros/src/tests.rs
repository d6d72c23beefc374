use proc_macro2::TokenStream;
use quote::quote;

use super::expand;

/// What the attribute makes of an item.
fn made(item: TokenStream) -> String {
    expand(TokenStream::new(), item).expect("it is a function").to_string()
}

/// How often a word stands in a text.
fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

fn refused(arguments: TokenStream, item: TokenStream) -> String {
    expand(arguments, item).expect_err("it is refused").to_string()
}

#[test]
fn what_is_no_synchronous_function_is_refused_in_words() {
    let none = TokenStream::new;
    let cases = [
        (none(), quote! { async fn f() {} }, "async fn"),
        (none(), quote! { pub(crate) const fn f() {} }, "const fn"),
        (none(), quote! { fn f(&self) -> u32; }, "needs the body"),
        (none(), quote! { struct S { x: u32 } }, "goes on a function"),
        (none(), quote! { impl S { } }, "goes on a function"),
        (none(), quote! { static X: u32 = 1; }, "goes on a function"),
        (quote! { every = 3 }, quote! { fn f() {} }, "takes no arguments"),
    ];
    for (arguments, item, words) in cases {
        let text = item.to_string();
        let said = refused(arguments, item);
        assert!(said.contains(words) && said.contains("#[preemptible]"), "{text}: {said}");
    }
}

#[test]
fn a_mistake_in_the_body_is_told_by_the_parser() {
    let said = refused(TokenStream::new(), quote! { fn f() { let = 3; } });
    assert!(!said.contains("preemptible"), "{said}");
}

#[test]
fn every_kind_of_function_is_taken() {
    for item in [
        quote! { fn f() {} },
        quote! { pub unsafe extern "C" fn f(x: *const u8) -> u8 { unsafe { *x } } },
        quote! { fn f<'a, T: Clone>(&'a mut self, t: &T) -> impl Iterator<Item = T> + use<'a, T> where T: Copy { todo!() } },
        quote! { #[inline] #[must_use] fn f(mut self: Box<Self>, (a, b): (u8, u8)) -> ! { loop {} } },
    ] {
        assert_eq!(count(&made(item), "safe_point"), 1);
    }
}

#[test]
fn a_function_without_loops_has_no_budget() {
    assert_eq!(
        count(&made(quote! { fn f(x: u32) -> u32 { if x > 3 { f(x - 1) } else { x } } }), "budget"),
        0
    );
}

#[test]
fn every_round_of_every_loop_spends_from_one_budget() {
    let made = made(quote! {
        fn f() -> u32 {
            'out: for i in 0..3 {
                while let Some(x) = next(|y| y + 1) {
                    if x == { loop { break 3; } } { continue 'out; }
                }
            }
            loop { break [0; 4][match 1 { n if n > 0 => { for _ in [1] {} 0 } _ => 1 }]; }
        }
    });
    assert_eq!((count(&made, "Budget :: new"), count(&made, ". spend ()")), (1, 5), "{made}");
}

#[test]
fn a_closure_with_loops_has_a_budget_of_its_own_and_one_without_is_left_alone() {
    let made = made(quote! {
        fn f() {
            let a = |x: u32| x + 1;
            let b = move || { for _ in 0..3 { a(1); } };
            let c = |n| loop { if n > 3 { break n } };
            let d = |n| -> u32 { let e = || while n > 3 {}; e(); n };
        }
    });
    assert_eq!((count(&made, "Budget :: new"), count(&made, ". spend ()")), (3, 3), "{made}");
    assert!(made.contains("| x : u32 | x + 1"), "{made}");
}

#[test]
fn what_is_not_the_functions_own_code_is_left_alone() {
    let made = made(quote! {
        fn f() {
            const N: usize = { let mut n = 0; while n < 3 { n += 1; } n };
            static S: [u8; { loop { break 3 } }] = [0; 3];
            fn inner() { loop {} }
            let x: [u8; { loop { break 1 } }] = [0; { loop { break 1 } }];
            let y = const { let mut n = 0; while n < 3 { n += 1; } n };
            let z = async { loop { other().await; } };
            let w = async || loop {};
            let v = generic::<{ loop { break 1 } }>();
            vec![{ for _ in 0..3 {} }];
        }
    });
    assert_eq!(count(&made, "budget"), 0, "{made}");
}
