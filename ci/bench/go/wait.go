package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

func delay(i uint64) time.Duration {
	h := i*0x9E3779B97F4A7C15 + 0x7F4A7C15
	h ^= h >> 30
	h *= 0xBF58476D1CE4E5B9
	h ^= h >> 27
	h *= 0x94D049BB133111EB
	h ^= h >> 31
	return time.Duration(1+h%100) * time.Millisecond
}

// timers is B8: many sleeping goroutines, and how late they wake.
func timers(a args) figures {
	late := make([]time.Duration, a.n)
	stop := stopwatch()
	var all sync.WaitGroup
	all.Add(a.n)
	for i := 0; i < a.n; i++ {
		go func(i int) {
			d := delay(uint64(i))
			begin := time.Now()
			time.Sleep(d)
			late[i] = time.Since(begin) - d
			all.Done()
		}(i)
	}
	all.Wait()
	f := figures{ops: a.n, measured: stop()}
	f.samples("late_us", late)
	return f
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// echo is B9: clients and server in one process.
func echo(a args) figures {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	var servers, clients sync.WaitGroup
	servers.Add(a.k)
	go func() {
		for i := 0; i < a.k; i++ {
			conn := must(listener.Accept()).(*net.TCPConn)
			conn.SetNoDelay(true)
			go func() {
				defer servers.Done()
				defer conn.Close()
				var message [64]byte
				for {
					if _, err := io.ReadFull(conn, message[:]); err != nil {
						return
					}
					if _, err := conn.Write(message[:]); err != nil {
						return
					}
				}
			}()
		}
	}()
	var stop atomic.Bool
	gate := make(chan struct{})
	trips := make([][]time.Duration, a.k)
	clients.Add(a.k)
	for i := 0; i < a.k; i++ {
		conn := must(net.Dial("tcp", listener.Addr().String())).(*net.TCPConn)
		conn.SetNoDelay(true)
		go func(i int) {
			defer clients.Done()
			defer conn.Close()
			var message [64]byte
			<-gate
			for !stop.Load() {
				begin := time.Now()
				must(conn.Write(message[:]))
				must(io.ReadFull(conn, message[:]))
				trips[i] = append(trips[i], time.Since(begin))
			}
		}(i)
	}
	watch := stopwatch()
	close(gate)
	time.Sleep(a.d)
	stop.Store(true)
	clients.Wait()
	measured := watch()
	servers.Wait()
	listener.Close()
	all := []time.Duration{}
	for _, one := range trips {
		all = append(all, one...)
	}
	f := figures{ops: len(all), measured: measured}
	f.set("cpu_us_per_op", micros(measured.cpu)/float64(len(all)))
	f.samples("rtt_us", all)
	return f
}

// idleMemory is B10: what a parked goroutine costs.
func idleMemory(a args) figures {
	var parked atomic.Int64
	gate, done := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Add(a.n)
	before, begin := status("VmRSS"), time.Now()
	for i := 0; i < a.n; i++ {
		go func() {
			if parked.Add(1) == int64(a.n) {
				close(done)
			}
			<-gate
			all.Done()
		}()
	}
	<-done
	park := time.Since(begin)
	time.Sleep(100 * time.Millisecond)
	after := status("VmRSS")
	begin = time.Now()
	close(gate)
	all.Wait()
	wake := time.Since(begin)
	f := figures{ops: a.n}
	f.set("bytes_per_task", float64(after-before)*1024/float64(a.n))
	f.set("park_ns_per_task", float64(park.Nanoseconds())/float64(a.n))
	f.set("wake_all_ns_per_task", float64(wake.Nanoseconds())/float64(a.n))
	return f
}
