package idempotency

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTheFirstAnswerIsGivenAgain(t *testing.T) {
	keys := New(time.Minute, time.Now)
	calls := 0
	handle := func() Response { calls++; return Response{201, []byte("first")} }
	for i := 0; i < 3; i++ {
		response, replayed, err := keys.Do(context.Background(), "k", []byte("body"), handle)
		if err != nil || string(response.Body) != "first" || replayed != (i > 0) {
			t.Errorf("call %d: %s, replayed %t, %v", i, response.Body, replayed, err)
		}
	}
	if calls != 1 {
		t.Errorf("handled %d times", calls)
	}
}

func TestAnotherContentUnderTheSameKeyIsRefused(t *testing.T) {
	keys := New(time.Minute, time.Now)
	handle := func() Response { return Response{Status: 201} }
	if _, _, err := keys.Do(context.Background(), "k", []byte("a"), handle); err != nil {
		t.Fatal(err)
	}
	if _, _, err := keys.Do(context.Background(), "k", []byte("b"), handle); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v", err)
	}
}

func TestAFailureOfTheServerIsNotKept(t *testing.T) {
	keys := New(time.Minute, time.Now)
	status := 503
	handle := func() Response { return Response{Status: status} }
	if response, _, _ := keys.Do(context.Background(), "k", nil, handle); response.Status != 503 {
		t.Fatalf("status %d", response.Status)
	}
	status = 201
	response, replayed, err := keys.Do(context.Background(), "k", nil, handle)
	if err != nil || replayed || response.Status != 201 {
		t.Errorf("retry: %d, replayed %t, %v", response.Status, replayed, err)
	}
}

func TestConcurrentCallersShareOneCall(t *testing.T) {
	keys := New(time.Minute, time.Now)
	var calls atomic.Int64
	release := make(chan struct{})
	handle := func() Response { calls.Add(1); <-release; return Response{Status: 201} }
	var wait sync.WaitGroup
	for i := 0; i < 16; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if response, _, err := keys.Do(context.Background(), "k", nil, handle); err != nil || response.Status != 201 {
				t.Errorf("%d, %v", response.Status, err)
			}
		}()
	}
	close(release)
	wait.Wait()
	if calls.Load() != 1 {
		t.Errorf("handled %d times", calls.Load())
	}
}

func TestAWaiterLeavesWithItsContext(t *testing.T) {
	keys := New(time.Minute, time.Now)
	started, release := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = keys.Do(context.Background(), "k", nil, func() Response {
			close(started)
			<-release
			return Response{Status: 201}
		})
	}()
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := keys.Do(ctx, "k", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	<-done
}

func TestAPanicFreesTheKey(t *testing.T) {
	keys := New(time.Minute, time.Now)
	func() {
		defer func() { _ = recover() }()
		_, _, _ = keys.Do(context.Background(), "k", nil, func() Response { panic("boom") })
	}()
	response, replayed, err := keys.Do(context.Background(), "k", nil, func() Response { return Response{Status: 201} })
	if err != nil || replayed || response.Status != 201 {
		t.Errorf("after a panic: %d, replayed %t, %v", response.Status, replayed, err)
	}
}
