package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// sink takes results that must be computed.
var sink atomic.Uint64

// spin computes: no calls, no memory.
//
//go:noinline
func spin(iters int, seed uint64) uint64 {
	x := seed | 1
	for i := 0; i < iters; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// hog computes until told to stop, and never calls or yields; how often it went round.
//
//go:noinline
func hog(stop *atomic.Uint32) uint64 {
	x, n := uint64(88172645463325252), uint64(0)
	for stop.Load() == 0 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		n++
	}
	sink.Store(x)
	return n
}

// status is a line of /proc/self/status, in KiB.
func status(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		if rest, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			value, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
			if err != nil {
				panic(err)
			}
			return value
		}
	}
	panic("no " + name)
}

// samples reports count, percentiles and maximum of durations, in microseconds.
func (f *figures) samples(name string, values []time.Duration) {
	f.set(name+"_count", len(values))
	if len(values) == 0 {
		return
	}
	slices.Sort(values)
	at := func(q float64) float64 {
		return micros(values[min(len(values)-1, int(q*float64(len(values))))])
	}
	f.set(name+"_p50", at(0.5))
	f.set(name+"_p99", at(0.99))
	f.set(name+"_max", micros(values[len(values)-1]))
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// shares reports how evenly work was shared out.
func (f *figures) shares(counts []uint64) {
	var sum, squares float64
	for _, count := range counts {
		sum += float64(count)
		squares += float64(count) * float64(count)
	}
	jain, ratio := 0.0, 0.0
	if squares > 0 {
		jain = sum * sum / (float64(len(counts)) * squares)
		ratio = float64(slices.Min(counts)) / float64(slices.Max(counts))
	}
	f.set("jain", jain)
	f.set("min_over_max", ratio)
}
