package main

import (
	"runtime"
	"sync"
	"time"
)

func burst(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go all.Done()
	}
	all.Wait()
}

// spawnBurst is B1a: many goroutines at once.
func spawnBurst(a args) figures {
	burst(a.n)
	return figures{ops: a.n}
}

// spawnJoin is B1b: one goroutine after the other.
func spawnJoin(a args) figures {
	for i := 0; i < a.n; i++ {
		done := make(chan struct{})
		go close(done)
		<-done
	}
	return figures{ops: a.n}
}

// spawnBatches is B1c: a thousand at a time.
func spawnBatches(a args) figures {
	const batch = 1000
	rounds := max(a.n/batch, 1)
	for i := 0; i < rounds; i++ {
		burst(batch)
	}
	return figures{ops: rounds * batch}
}

// yield is B2: nothing but switches.
func yield(a args) figures {
	var all sync.WaitGroup
	all.Add(a.k)
	gate := make(chan struct{})
	each := a.n / a.k
	for i := 0; i < a.k; i++ {
		go func() {
			<-gate
			for j := 0; j < each; j++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	close(gate)
	all.Wait()
	return figures{ops: each * a.k}
}

// skynet is B5: a tree of goroutines.
func skynet(a args) figures {
	result := make(chan uint64, 1)
	go node(result, 0, uint64(a.n))
	sum := <-result
	n := uint64(a.n)
	check(sum == n*(n-1)/2, "skynet", sum)
	return figures{ops: a.n * 10 / 9}
}

func node(parent chan<- uint64, num, size uint64) {
	if size == 1 {
		parent <- num
		return
	}
	children := make(chan uint64, 10)
	for i := uint64(0); i < 10; i++ {
		go node(children, num+i*size/10, size/10)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	parent <- sum
}

// forkJoin is B6a: the smallest tasks there are.
func forkJoin(a args) figures {
	x, y := 0, 1
	spawns := []int{0, 0}
	for i := 0; i < a.n; i++ {
		x, y = y, x+y
		spawns = append(spawns, 1+spawns[len(spawns)-1]+spawns[len(spawns)-2])
	}
	got := fib(a.n)
	check(got == uint64(x), "fib", got)
	return figures{ops: spawns[a.n]}
}

func fib(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	other := make(chan uint64, 1)
	go func() { other <- fib(n - 1) }()
	here := fib(n - 2)
	return here + <-other
}

func unevenSize(i uint64) int {
	h := i*0x9E3779B97F4A7C15 + 0x1234567
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	h ^= h >> 32
	switch {
	case h&1023 == 0:
		return 1_000_000
	case h&63 == 0:
		return 50_000
	default:
		return 1000
	}
}

// uneven is B6b: tasks of very different length.
func uneven(a args) figures {
	begin := time.Now()
	for i := 0; i < a.n; i++ {
		sink.Store(spin(unevenSize(uint64(i)), uint64(i)))
	}
	seq := time.Since(begin)
	stop := stopwatch()
	var all sync.WaitGroup
	all.Add(a.n)
	for i := 0; i < a.n; i++ {
		go func(i uint64) {
			sink.Store(spin(unevenSize(i), i))
			all.Done()
		}(uint64(i))
	}
	all.Wait()
	f := figures{ops: a.n, measured: stop()}
	f.set("seq_ms", float64(seq.Nanoseconds())/1e6)
	f.set("speedup", seq.Seconds()/f.measured.wall.Seconds())
	return f
}
