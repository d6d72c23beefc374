//! The `select!` macro.
//!
//! It reads one arm after the other (`@arm`, `@body`, `@add`) into a list, and then (`@done`) makes of the list: the
//! operations, one call that waits, a tuple of their results, and a chain of `if let` over these. The operations, with what
//! was not sent, are gone before the chosen arm runs, and the arm runs in the caller's own function.

/// Waits until one of several channel operations can take place, and does that one. Go: `select`.
///
/// Arms:
///
/// - `recv(receiver) -> result => expression`: `result`, any irrefutable pattern, is a
///   `Result<T, `[`RecvError`](crate::chan::RecvError)`>`;
/// - `send(sender, value) -> result => expression`: a `Result<(), `[`SendError<T>`](crate::chan::SendError)`>`;
/// - `default => expression`: if no operation can take place without waiting;
/// - `timeout(duration) => expression` or `deadline(instant) => expression`: if none could until then.
///
/// At most one of the last three. `receiver` and `sender` may be an `Option`: `None` is never ready, as a nil channel in
/// Go. All channels and values are evaluated once, in order, before anything takes place; values that are not sent are
/// dropped before the chosen arm runs. If several operations are ready, one is chosen at random. Arms may `break`,
/// `continue` and `return`. `select! {}` waits for ever.
///
/// Nothing is allocated.
///
/// ```no_run
/// use std::time::Duration;
/// use sigurg::{chan, select};
///
/// let (requests, incoming) = chan::<u32>(0);
/// let (stop, stopped) = chan::<()>(0);
/// # let _ = (requests, stop);
/// loop {
///     select! {
///         recv(incoming) -> request => match request {
///             Ok(n) => println!("request {n}"),
///             Err(_) => break,
///         },
///         recv(stopped) -> _ => break,
///         timeout(Duration::from_secs(1)) => println!("nothing to do"),
///     }
/// }
/// ```
#[macro_export]
macro_rules! select {
    () => {
        $crate::select::__private::forever()
    };
    ($($arms:tt)+) => {
        $crate::__select!(@arm [] [] $($arms)+)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // The head of an arm.
    (@arm $cases:tt $end:tt recv($source:expr $(,)?) -> $result:pat => $($rest:tt)+) => {
        $crate::__select!(@body $cases $end { recv ($source) ($result) } $($rest)+)
    };
    (@arm $cases:tt $end:tt send($target:expr, $value:expr $(,)?) -> $result:pat => $($rest:tt)+) => {
        $crate::__select!(@body $cases $end { send ($target) ($value) ($result) } $($rest)+)
    };
    (@arm $cases:tt [] default => $($rest:tt)+) => {
        $crate::__select!(@body $cases [] { otherwise ($crate::select::__private::Until::Now) } $($rest)+)
    };
    (@arm $cases:tt [] timeout($timeout:expr $(,)?) => $($rest:tt)+) => {
        $crate::__select!(
            @body $cases [] { otherwise ($crate::select::__private::Until::For($timeout)) } $($rest)+
        )
    };
    (@arm $cases:tt [] deadline($deadline:expr $(,)?) => $($rest:tt)+) => {
        $crate::__select!(
            @body $cases [] { otherwise ($crate::select::__private::Until::At($deadline)) } $($rest)+
        )
    };
    // No arm is left.
    (@arm $cases:tt []) => {
        $crate::__select!(
            @done $cases [($crate::select::__private::Until::Forever) ($crate::select::__private::never())]
        )
    };
    (@arm $cases:tt [$($end:tt)+]) => {
        $crate::__select!(@done $cases [$($end)+])
    };
    (@arm $cases:tt [$($end:tt)+] default $($rest:tt)*) => {
        $crate::__select!(@two)
    };
    (@arm $cases:tt [$($end:tt)+] timeout $($rest:tt)*) => {
        $crate::__select!(@two)
    };
    (@arm $cases:tt [$($end:tt)+] deadline $($rest:tt)*) => {
        $crate::__select!(@two)
    };
    (@arm $cases:tt $end:tt $($rest:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "expected `recv(receiver) -> result => ..`, `send(sender, value) -> result => ..`, `default => ..`, ",
            "`timeout(duration) => ..` or `deadline(instant) => ..`, found `",
            ::core::stringify!($($rest)+),
            "`"
        ))
    };
    (@two) => {
        ::core::compile_error!("a select has at most one of `default`, `timeout` and `deadline`")
    };

    // What the arm does. As in `match`, a block needs no comma.
    (@body $cases:tt $end:tt $head:tt $body:block, $($rest:tt)*) => {
        $crate::__select!(@add $cases $end $head ($body) $($rest)*)
    };
    (@body $cases:tt $end:tt $head:tt $body:block $($rest:tt)*) => {
        $crate::__select!(@add $cases $end $head ($body) $($rest)*)
    };
    (@body $cases:tt $end:tt $head:tt $body:expr, $($rest:tt)*) => {
        $crate::__select!(@add $cases $end $head ($body) $($rest)*)
    };
    (@body $cases:tt $end:tt $head:tt $body:expr) => {
        $crate::__select!(@add $cases $end $head ($body))
    };

    // The arm joins the list. Each expansion has `chan`, `op` and `out` of its own.
    (@add [$($cases:tt)*] $end:tt { recv ($source:expr) ($result:pat) } ($body:expr) $($rest:tt)*) => {
        $crate::__select!(
            @arm
            [$($cases)* { chan op out ($source) ($crate::select::RecvOp::new(chan)) ($result) ($body) }]
            $end $($rest)*
        )
    };
    (@add [$($cases:tt)*] $end:tt { send ($target:expr) ($value:expr) ($result:pat) } ($body:expr) $($rest:tt)*) => {
        $crate::__select!(
            @arm
            [$($cases)* { chan op out ($target) ($crate::select::SendOp::new(chan, $value)) ($result) ($body) }]
            $end $($rest)*
        )
    };
    (@add $cases:tt [] { otherwise ($until:expr) } ($body:expr) $($rest:tt)*) => {
        $crate::__select!(@arm $cases [($until) ($body)] $($rest)*)
    };

    // Nothing but a default or a time limit.
    (@done [] [($until:expr) ($otherwise:expr)]) => {{
        $crate::select::__private::wait([], $until);
        $otherwise
    }};
    (@done [$({ $chan:ident $op:ident $out:ident ($source:expr) ($new:expr) ($result:pat) ($body:expr) })*]
        [($until:expr) ($otherwise:expr)]
    ) => {{
        let ($($out,)*) = {
            $(
                let $chan = &$source;
                let mut $op = $new;
            )*
            $crate::select::__private::wait([$($op.case()),*], $until);
            ($($op.result(),)*)
        };
        $(
            if let ::core::option::Option::Some(result) = $out {
                let $result = result;
                $body
            } else
        )* { $otherwise }
    }};
}
