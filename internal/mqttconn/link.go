package mqttconn

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// link is one connection with its own paho client, so that nothing of an old
// one (messages, tokens, ids) reaches a new one.
type link struct {
	client mqtt.Client
	conn   atomic.Pointer[net.Conn]
	ended  atomic.Bool
	once   sync.Once
	lost   chan struct{} // closed when paho lost the connection
	why    error         // set before lost is closed
}

func (l *link) lose(err error) {
	l.once.Do(func() {
		l.why = err
		close(l.lost)
	})
}

// hangUp ends a handshake that the broker does not answer.
func (l *link) hangUp() {
	if conn := l.conn.Load(); conn != nil {
		_ = (*conn).Close() // paho sees the error
	}
}

// end says goodbye; messages that still come are not delivered.
func (l *link) end() {
	l.ended.Store(true)
	l.client.Disconnect(farewell)
}

func (c *Conn) connect(ctx context.Context, l *link) (mqtt.Client, error) {
	client := mqtt.NewClient(c.options(ctx, l))
	stop := context.AfterFunc(ctx, l.hangUp)
	defer stop()
	token := client.Connect()
	<-token.Done() // dialling and handshake are bounded by connectTimeout and ctx
	if err := token.Error(); err != nil {
		return nil, err
	}
	return client, nil
}

func (c *Conn) options(ctx context.Context, l *link) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().
		AddBroker(c.cfg.URL).
		SetClientID(c.cfg.ClientID).
		SetUsername(c.cfg.Username).
		SetPassword(c.cfg.Password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetOrderMatters(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(writeTimeout).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			if !l.ended.Load() {
				c.enqueue(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()})
			}
		}).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.lose(err) }).
		SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			conn, err := dial(ctx, u, c.cfg.TLS)
			if err != nil {
				return nil, err
			}
			l.conn.Store(&conn)
			return &patient{Conn: conn}, nil
		})
	if w := c.cfg.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, w.QoS, w.Retain)
	}
	return o
}

func dial(ctx context.Context, u *url.URL, conf *tls.Config) (net.Conn, error) {
	d := &net.Dialer{Timeout: connectTimeout}
	var conn net.Conn
	var err error
	switch u.Scheme {
	case "tcp", "mqtt":
		conn, err = d.DialContext(ctx, "tcp", u.Host)
	case "tls", "ssl", "mqtts":
		conn, err = (&tls.Dialer{NetDialer: d, Config: conf}).DialContext(ctx, "tcp", u.Host)
	default:
		return nil, fmt.Errorf("broker url %s: want tcp:// or tls://", u)
	}
	return conn, err
}

// patient bounds the handshake: paho waits for CONNACK without a limit. The
// first bytes that arrive end that.
type patient struct {
	net.Conn
	answered atomic.Bool
}

func (p *patient) Read(b []byte) (int, error) {
	if !p.answered.Load() {
		if err := p.SetReadDeadline(time.Now().Add(connectTimeout)); err != nil {
			return 0, err
		}
	}
	n, err := p.Conn.Read(b)
	if n > 0 && !p.answered.Swap(true) {
		if err := p.SetReadDeadline(time.Time{}); err != nil {
			return n, err
		}
	}
	return n, err
}

func (c *Conn) subscribe(ctx context.Context, l *link) error {
	if len(c.subs) == 0 {
		return nil
	}
	filters := make(map[string]byte, len(c.subs))
	for _, s := range c.subs {
		filters[s.filter] = s.qos
	}
	token := l.client.SubscribeMultiple(filters, nil)
	if err := wait(ctx, l, token); err != nil {
		return err
	}
	sub, ok := token.(*mqtt.SubscribeToken)
	if !ok {
		return fmt.Errorf("subscribe: unexpected %T", token)
	}
	for filter, granted := range sub.Result() {
		if granted > 1 {
			return fmt.Errorf("the broker refuses the subscription to %s", filter)
		}
	}
	return nil
}
