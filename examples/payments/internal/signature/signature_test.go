package signature

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
)

var message = Message{
	Method: "POST", URI: "/v1/payments", IdempotencyKey: "k-1", Body: []byte(`{"account":"acct_1001"}`),
}

// The value was computed with `openssl dgst -sha256 -hmac demo-key`.
const known = "v1=b36ff7c1c5e521a981e0f2baa1f2a739e17a5f106f1bd955a7a9b4aae0183c3a"

func TestSignAgreesWithOpenSSL(t *testing.T) {
	if got := NewSigner([]byte("demo-key")).Sign(message); got != known {
		t.Errorf("got %s, want %s", got, known)
	}
}

func TestVerifyAcceptsOnlyTheSignedMessage(t *testing.T) {
	signer := NewSigner([]byte("demo-key"))
	header := signer.Sign(message)
	if err := signer.Verify(header, message); err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*Message){
		"method": func(m *Message) { m.Method = "PUT" },
		"uri":    func(m *Message) { m.URI += "?x=1" },
		"key":    func(m *Message) { m.IdempotencyKey = "k-2" },
		"body":   func(m *Message) { m.Body = append([]byte(" "), m.Body...) },
	}
	for name, change := range changes {
		changed := message
		change(&changed)
		if err := signer.Verify(header, changed); !errors.Is(err, ErrInvalid) {
			t.Errorf("another %s: got %v", name, err)
		}
	}
}

func TestVerifyRefusesMalformedHeaders(t *testing.T) {
	signer := NewSigner([]byte("demo-key"))
	header := signer.Sign(message)
	for _, bad := range []string{
		"", "v1=", header[:len(header)-1], header + "0", "v2" + header[2:],
		"v1=" + strings.Repeat("zz", 32), NewSigner([]byte("other")).Sign(message),
	} {
		if err := signer.Verify(bad, message); !errors.Is(err, ErrInvalid) {
			t.Errorf("Verify(%q) = %v", bad, err)
		}
	}
}

func TestSignerIsSafeForConcurrentUse(t *testing.T) {
	signer := NewSigner([]byte("demo-key"))
	var wait sync.WaitGroup
	for i := 0; i < 8; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for j := 0; j < 200; j++ {
				if signer.Sign(message) != known {
					t.Error("a concurrent signature differs")
					return
				}
			}
		}()
	}
	wait.Wait()
}

func BenchmarkSign(b *testing.B) {
	signer := NewSigner([]byte("demo-key"))
	large := message
	large.Body = bytes.Repeat([]byte("x"), 512)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		_ = signer.Sign(large)
	}
}

func BenchmarkVerify(b *testing.B) {
	signer := NewSigner([]byte("demo-key"))
	header := signer.Sign(message)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := signer.Verify(header, message); err != nil {
			b.Fatal(err)
		}
	}
}
