package main

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// fairness is B11: one sleeper beside hogs.
func fairness(a args) figures {
	var stop atomic.Uint32
	counts := make([]uint64, a.k)
	var all sync.WaitGroup
	all.Add(a.k)
	end := time.Now().Add(a.d)
	for i := 0; i < a.k; i++ {
		go func(i int) {
			counts[i] = hog(&stop)
			all.Done()
		}(i)
	}
	result := make(chan []time.Duration)
	go func() {
		var late []time.Duration
		for time.Now().Before(end) {
			begin := time.Now()
			time.Sleep(time.Millisecond)
			late = append(late, time.Since(begin)-time.Millisecond)
		}
		stop.Store(1)
		result <- late
	}()
	late := <-result
	all.Wait()
	expected := int(a.d / time.Millisecond)
	f := figures{ops: len(late)}
	if len(late) < expected/100 {
		f.status = "starved"
	}
	f.set("expected", expected)
	f.samples("late_us", late)
	f.shares(counts)
	return f
}

//go:noinline
func rotatingHog(me uint32, stop, owner *atomic.Uint32, switches *atomic.Uint64) uint64 {
	x, n := uint64(88172645463325252), uint64(0)
	for stop.Load() == 0 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		n++
		if owner.Load() != me {
			owner.Store(me)
			switches.Add(1)
		}
	}
	sink.Store(x)
	return n
}

// rotation is B11c: how long hogs run before others do.
func rotation(a args) figures {
	var stop, owner atomic.Uint32
	var switches, started atomic.Uint64
	counts := make([]uint64, a.k)
	var all sync.WaitGroup
	all.Add(a.k)
	begin := time.Now()
	for i := 0; i < a.k; i++ {
		go func(i int) {
			started.Add(1)
			counts[i] = rotatingHog(uint32(i+1), &stop, &owner, &switches)
			all.Done()
		}(i)
	}
	time.Sleep(a.d)
	elapsed := time.Since(begin)
	stop.Store(1)
	all.Wait()
	f := figures{ops: int(switches.Load())}
	f.set("quantum_ms", micros(elapsed)/1e3/float64(max(switches.Load(), 1)))
	f.set("started", started.Load())
	f.set("stop_late_ms", micros(elapsed-a.d)/1e3)
	f.shares(counts)
	return f
}

// preemptionCost is B12a: to be run with preemption on and off.
func preemptionCost(a args) figures {
	var all sync.WaitGroup
	all.Add(a.k)
	for i := 0; i < a.k; i++ {
		go func(i int) {
			sink.Store(spin(a.n, uint64(i)))
			all.Done()
		}(i)
	}
	all.Wait()
	return figures{ops: a.n * a.k}
}

func readMemStats() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
}

var stackText = make([]byte, 1<<20)

func allStacks() { runtime.Stack(stackText, true) }

// observed is B12b to B12z: hogs, and one goroutine that stops the world again and again.
func observed(pause time.Duration, call func()) func(args) figures {
	return func(a args) figures {
		var stop atomic.Uint32
		counts := make([]uint64, a.k)
		var all sync.WaitGroup
		all.Add(a.k)
		begin := time.Now()
		end := begin.Add(a.d)
		for i := 0; i < a.k; i++ {
			go func(i int) {
				counts[i] = hog(&stop)
				all.Done()
			}(i)
		}
		var calls []time.Duration
		for {
			from := time.Now()
			if !from.Before(end) {
				break
			}
			call()
			calls = append(calls, time.Since(from))
			if pause > 0 {
				time.Sleep(pause)
			}
		}
		stop.Store(1)
		all.Wait()
		wall := time.Since(begin)
		iters := uint64(0)
		for _, count := range counts {
			iters += count
		}
		f := figures{ops: len(calls)}
		f.set("hog_iters_per_s", float64(iters)/wall.Seconds())
		f.samples("call_us", calls)
		f.pauses()
		return f
	}
}

// pauses reports Go's own histogram of the time to stop the world.
func (f *figures) pauses() {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/other:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return
	}
	h := sample[0].Value.Float64Histogram()
	total, seen := uint64(0), uint64(0)
	for _, count := range h.Counts {
		total += count
	}
	for i, count := range h.Counts {
		seen += count
		if total > 0 && seen*2 >= total {
			f.set("stopping_us_p50_upper", h.Buckets[i+1]*1e6)
			return
		}
	}
}

//go:noinline
func deep(frames int, parked *sync.WaitGroup, gate chan struct{}) byte {
	var frame [64]byte
	frame[frames%64] = byte(frames)
	if frames == 0 {
		parked.Done()
		<-gate
		return frame[0]
	}
	return deep(frames-1, parked, gate) + frame[frames%64]
}

// stackScan is B13: forced collections beside parked goroutines and hogs.
func stackScan(a args) figures {
	cycles := 20
	if a.k > 0 {
		cycles = 2
	}
	var stop atomic.Uint32
	var parked, all sync.WaitGroup
	gate := make(chan struct{})
	parked.Add(a.n)
	all.Add(a.n + a.k)
	for i := 0; i < a.n; i++ {
		go func() {
			sink.Store(uint64(deep(a.depth, &parked, gate)))
			all.Done()
		}()
	}
	parked.Wait()
	for i := 0; i < a.k; i++ {
		go func() {
			hog(&stop)
			all.Done()
		}()
	}
	var times []time.Duration
	cpu := gcTime()
	for i := 0; i < cycles; i++ {
		begin := time.Now()
		runtime.GC()
		times = append(times, time.Since(begin))
	}
	cpu = gcTime() - cpu
	stop.Store(1)
	close(gate)
	all.Wait()
	f := figures{ops: cycles}
	f.set("gc_cpu_us_per_cycle", cpu*1e6/float64(cycles))
	f.set("depth", a.depth)
	f.samples("gc_us", times)
	return f
}

// gcTime is the processor time of the collector so far, in seconds.
func gcTime() float64 {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}
