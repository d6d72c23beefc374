package main

import (
	"runtime"
	"sync"
)

// pingPong is B3, B3b and B3x: two goroutines, one message at a time.
func pingPong(capacity int, locked bool) func(args) figures {
	return func(a args) figures {
		there, back := make(chan uint64, capacity), make(chan uint64, capacity)
		n := uint64(a.n)
		var all sync.WaitGroup
		all.Add(2)
		go func() {
			defer all.Done()
			if locked {
				runtime.LockOSThread()
			}
			for i := uint64(0); i < n; i++ {
				there <- i
				got := <-back
				check(got == i, "echo", i, got)
			}
		}()
		go func() {
			defer all.Done()
			if locked {
				runtime.LockOSThread()
			}
			for i := uint64(0); i < n; i++ {
				back <- <-there
			}
		}()
		all.Wait()
		return figures{ops: a.n}
	}
}

// throughput is B4: producers and consumers on one channel.
func throughput(a args) figures {
	values := make(chan uint64, 128)
	each := uint64(a.n / a.k)
	var producers sync.WaitGroup
	sums := make(chan uint64, a.k)
	producers.Add(a.k)
	for i := 0; i < a.k; i++ {
		go func() {
			for v := uint64(0); v < each; v++ {
				values <- v
			}
			producers.Done()
		}()
		go func() {
			sum := uint64(0)
			for v := range values {
				sum += v
			}
			sums <- sum
		}()
	}
	producers.Wait()
	close(values)
	total := uint64(0)
	for i := 0; i < a.k; i++ {
		total += <-sums
	}
	want := uint64(a.k) * each * (each - 1) / 2
	check(total == want, "sum", total, want)
	return figures{ops: int(each) * a.k}
}

// mutex is B7: many goroutines, one lock.
func mutex(a args) figures {
	var lock sync.Mutex
	var all sync.WaitGroup
	v, each := 0, a.n/a.k
	all.Add(a.k)
	for i := 0; i < a.k; i++ {
		go func() {
			for j := 0; j < each; j++ {
				lock.Lock()
				v++
				lock.Unlock()
			}
			all.Done()
		}()
	}
	all.Wait()
	check(v == each*a.k, "count", v)
	return figures{ops: v}
}
