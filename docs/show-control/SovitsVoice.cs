// A character that speaks through a SoVITS-Tiny device. Unity 2021 or newer, MQTTnet 4 (NuGet).
// Put it on a GameObject; call Say() from anywhere on the main thread.
using System;
using System.Collections.Concurrent;
using System.Text;
using System.Threading.Tasks;
using MQTTnet;
using MQTTnet.Client;
using MQTTnet.Protocol;
using UnityEngine;
using UnityEngine.Events;

public class SovitsVoice : MonoBehaviour
{
    [Serializable] public class LineEvent : UnityEvent<string, string> { }   // request id, event
    [Serializable] public class MarkEvent : UnityEvent<string> { }           // name of the mark
    [Serializable] public class VisemeEvent : UnityEvent<Segment> { }

    // JsonUtility reads objects with arrays of flat objects, which is what the device sends.
    [Serializable] public class Request { public string id, character, text; public string[] output; }
    [Serializable] public class Report { public string id, @event, code, message; public float device_latency_ms; }
    [Serializable] public class Viseme { public float t, d, w; public string v; }
    [Serializable] public class Segment { public string id; public int segment; public bool final; public Viseme[] visemes; }

    public string host = "127.0.0.1";
    public int port = 1883;
    public string device = "kiosk";
    public string character = "noah";
    public LineEvent onLine = new LineEvent();
    public MarkEvent onMark = new MarkEvent();
    public VisemeEvent onVisemes = new VisemeEvent();

    string Root => $"sovits/{device}";
    readonly ConcurrentQueue<Action> mainThread = new ConcurrentQueue<Action>();
    IMqttClient client;
    bool leaving;

    async void Start()
    {
        client = new MqttFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += Received;
        client.ConnectedAsync += async _ =>
        {
            foreach (var tail in new[] { $"event/{character}", "event/unknown", "mark/+", $"lipsync/{character}" })
                await client.SubscribeAsync($"{Root}/{tail}", MqttQualityOfServiceLevel.AtLeastOnce);
        };
        client.DisconnectedAsync += async _ =>
        {
            if (leaving) return;
            await Task.Delay(1000);
            await Connect();
        };
        await Connect();
    }

    async Task Connect()
    {
        // A client id of its own: two with one id throw each other out.
        var options = new MqttClientOptionsBuilder().WithTcpServer(host, port)
            .WithClientId($"unity-{Guid.NewGuid():N}").Build();
        try { await client.ConnectAsync(options); }
        catch (Exception error) { Debug.LogWarning($"broker {host}:{port}: {error.Message}"); }
    }

    /// <summary>Says a line; returns its id. The same id again would not be said again.</summary>
    public string Say(string text)
    {
        var request = new Request { id = $"unity-{Guid.NewGuid():N}", character = character, text = text,
                                    output = new[] { "play", "lipsync" } };
        Publish("request/say", JsonUtility.ToJson(request));
        return request.id;
    }

    /// <summary>Silence for this character, and nothing of it that waits is said.</summary>
    public void Stop() => Publish($"stop/{character}", "");

    void Publish(string tail, string payload)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic($"{Root}/{tail}").WithPayload(payload)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        _ = client.PublishAsync(message);
    }

    Task Received(MqttApplicationMessageReceivedEventArgs args)
    {
        var topic = args.ApplicationMessage.Topic.Substring(Root.Length + 1);
        var json = args.ApplicationMessage.ConvertPayloadToString();
        mainThread.Enqueue(() => Handle(topic, json));   // Unity's objects belong to the main thread
        return Task.CompletedTask;
    }

    void Handle(string topic, string json)
    {
        if (topic.StartsWith("mark/")) onMark.Invoke(topic.Substring("mark/".Length));
        else if (topic.StartsWith("lipsync/")) onVisemes.Invoke(JsonUtility.FromJson<Segment>(json));
        else
        {
            var report = JsonUtility.FromJson<Report>(json);
            if (!string.IsNullOrEmpty(report.message)) Debug.LogWarning($"{report.id}: {report.code}: {report.message}");
            onLine.Invoke(report.id, report.@event);   // start the face's clock on "first_audio"
        }
    }

    void Update() { while (mainThread.TryDequeue(out var action)) action(); }

    async void OnDestroy()
    {
        leaving = true;
        if (client != null) await client.DisconnectAsync();
    }
}
