package brokertest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes TCP through to a broker until it is cut.
type Proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
	cut      bool
}

// NewProxy starts a proxy to target, host:port. It ends with the test.
func NewProxy(t *testing.T, target string) *Proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, target: target}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.Cut()
		p.wg.Wait()
	})
	return p
}

// Addr returns host:port of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut ends all connections, as a pulled plug that the broker notices, and takes
// no new ones.
func (p *Proxy) Cut() {
	_ = p.listener.Close() // closed twice at the test's end
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for _, c := range p.conns {
		_ = c.Close() // each side closes too
	}
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = c.Close() // nobody is to use it
		return false
	}
	p.conns = append(p.conns, c)
	return true
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close() // the client tries again
			continue
		}
		if !p.keep(near) || !p.keep(far) {
			return
		}
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			p.wg.Go(func() {
				_, _ = io.Copy(way[0], way[1]) // ends with either side
				_ = way[0].Close()
			})
		}
	}
}
