// Command bench runs one benchmark workload on the Go runtime and prints one line of JSON: the figures that the
// example "workloads" of the package sigurg prints for the same workload.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// args are the parameters of one pass.
type args struct {
	p, n, k, depth int
	d              time.Duration
}

// figures are what a pass found out, besides the time that it took.
type figures struct {
	status string
	ops    int
	// Of the part that counts, where that is not the whole pass.
	measured *span
	extra    map[string]any
}

// span is wall and processor time of something.
type span struct{ wall, cpu time.Duration }

// stopwatch begins a span; what it returns ends it.
func stopwatch() func() *span {
	cpu, begin := cpuTime(), time.Now()
	return func() *span {
		wall := time.Since(begin)
		return &span{wall, cpuTime() - cpu}
	}
}

func (f *figures) set(name string, value any) {
	if f.extra == nil {
		f.extra = map[string]any{}
	}
	f.extra[name] = value
}

// workload is one entry of the table: its parameters unless given, how it warms up, and its body.
type workload struct {
	n, k int
	d    time.Duration
	warm func(args) args
	body func(args) figures
}

func tenth(a args) args { a.n = max(a.n/10, 1); return a }

var workloads = map[string]workload{
	"B1a":  {n: 1_000_000, warm: tenth, body: spawnBurst},
	"B1b":  {n: 300_000, warm: tenth, body: spawnJoin},
	"B1c":  {n: 1_000_000, warm: tenth, body: spawnBatches},
	"B2":   {n: 2_000_000, k: 2, warm: tenth, body: yield},
	"B3":   {n: 500_000, warm: tenth, body: pingPong(0, false)},
	"B3b":  {n: 500_000, warm: tenth, body: pingPong(1, false)},
	"B3x":  {n: 100_000, warm: tenth, body: pingPong(0, true)},
	"B4":   {n: 2_000_000, k: 1, warm: tenth, body: throughput},
	"B5":   {n: 1_000_000, warm: tenth, body: skynet},
	"B6a":  {n: 25, warm: func(a args) args { a.n -= 5; return a }, body: forkJoin},
	"B6b":  {n: 40_000, warm: tenth, body: uneven},
	"B7":   {n: 2_000_000, k: 8, warm: tenth, body: mutex},
	"B8":   {n: 100_000, warm: tenth, body: timers},
	"B9":   {k: 200, d: 2 * time.Second, warm: func(a args) args { a.d = 300 * time.Millisecond; return a }, body: echo},
	"B10":  {n: 100_000, body: idleMemory},
	"B11":  {k: 1, d: time.Second, body: fairness},
	"B11c": {k: 4, d: time.Second, body: rotation},
	"B12a": {n: 300_000_000, k: 1, warm: tenth, body: preemptionCost},
	"B12b": {k: 1, d: time.Second, body: observed(0, readMemStats)},
	"B12c": {k: 1, d: time.Second, body: observed(0, allStacks)},
	"B12d": {k: 1, d: time.Second, body: observed(0, runtime.GC)},
	"B12e": {k: 1, d: time.Second, body: observed(time.Millisecond, readMemStats)},
	"B12z": {k: 1, d: time.Second, body: observed(0, func() { sink.Store(spin(1000, 1)) })},
	"B13":  {n: 10_000, body: stackScan},
}

func main() {
	name := flag.String("w", "", "workload")
	p := flag.Int("p", 1, "processors")
	n := flag.Int("n", -1, "operations")
	k := flag.Int("k", -1, "goroutines, or what the workload counts")
	d := flag.Float64("d", -1, "seconds")
	depth := flag.Int("depth", 0, "frames of each parked goroutine (B13)")
	flag.Parse()
	w, ok := workloads[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no workload %q\n", *name)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(*p)
	a := args{p: *p, n: w.n, k: w.k, d: w.d, depth: *depth}
	if *n >= 0 {
		a.n = *n
	}
	if *k >= 0 {
		a.k = *k
	}
	if *d >= 0 {
		a.d = time.Duration(*d * float64(time.Second))
	}
	if w.warm != nil {
		w.body(w.warm(a))
		runtime.GC()
	}
	stop := stopwatch()
	f := w.body(a)
	whole := stop()
	if f.measured == nil {
		f.measured = whole
	}
	report(*name, a, f)
}

func report(name string, a args, f figures) {
	wall, cpu := f.measured.wall, f.measured.cpu
	line := map[string]any{
		"w": name, "peer": "go", "ver": runtime.Version(), "p": a.p, "n": a.n, "k": a.k, "status": "ok", "ops": f.ops,
		"wall_ms": float64(wall.Nanoseconds()) / 1e6, "cpu_ms": float64(cpu.Nanoseconds()) / 1e6,
		"rss_kb": status("VmRSS"), "peak_kb": status("VmHWM"),
	}
	if f.status != "" {
		line["status"] = f.status
	}
	if f.ops > 0 {
		line["ns_per_op"] = float64(wall.Nanoseconds()) / float64(f.ops)
		line["ops_per_s"] = float64(f.ops) / wall.Seconds()
	}
	for name, value := range f.extra {
		line[name] = value
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

// cpuTime is the user and system time of this process so far.
func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// check ends the program if a workload computed something wrong.
func check(ok bool, what string, got ...any) {
	if !ok {
		panic(fmt.Sprint(what, ": ", got))
	}
}

func init() {
	// The result of a run must not depend on how much of the machine's memory others use.
	debug.SetMemoryLimit(1 << 62)
}
