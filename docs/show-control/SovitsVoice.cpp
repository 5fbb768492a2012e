#include "SovitsVoice.h"

#include "HttpModule.h"
#include "Interfaces/IHttpResponse.h"
#include "Kismet/GameplayStatics.h"
#include "Serialization/JsonSerializer.h"
#include "Sound/SoundWaveProcedural.h"

void USovitsVoice::Say(const FString& Text)
{
    const TSharedRef<FJsonObject> Body = MakeShared<FJsonObject>();
    Body->SetStringField(TEXT("input"), Text);
    Body->SetStringField(TEXT("voice"), Character);
    Body->SetStringField(TEXT("response_format"), TEXT("pcm"));
    FString Json;
    FJsonSerializer::Serialize(Body, TJsonWriterFactory<>::Create(&Json));

    const TSharedRef<IHttpRequest, ESPMode::ThreadSafe> Request = FHttpModule::Get().CreateRequest();
    Request->SetVerb(TEXT("POST"));
    Request->SetURL(Url + TEXT("/v1/audio/speech"));
    Request->SetHeader(TEXT("Content-Type"), TEXT("application/json"));
    if (!Token.IsEmpty())
    {
        Request->SetHeader(TEXT("Authorization"), TEXT("Bearer ") + Token);
    }
    Request->SetContentAsString(Json); // UTF-8
    Request->OnProcessRequestComplete().BindUObject(this, &USovitsVoice::OnSound);
    Request->ProcessRequest();
}

void USovitsVoice::OnSound(FHttpRequestPtr, FHttpResponsePtr Response, bool bConnected)
{
    if (!bConnected || !Response.IsValid())
    {
        OnFault.Broadcast(TEXT("the device does not answer: ") + Url);
        return;
    }
    if (Response->GetResponseCode() != 200)
    {
        OnFault.Broadcast(Response->GetContentAsString()); // {"error": {"code": ..., "message": ...}}
        return;
    }
    const TArray<uint8>& Pcm = Response->GetContent(); // 16-bit, mono
    USoundWaveProcedural* Wave = NewObject<USoundWaveProcedural>(this);
    Wave->SetSampleRate(FCString::Atoi(*Response->GetHeader(TEXT("X-Sample-Rate"))));
    Wave->NumChannels = 1;
    Wave->Duration = INDEFINITELY_LOOPING_DURATION;
    Wave->SoundGroup = SOUNDGROUP_Voice;
    Wave->QueueAudio(Pcm.GetData(), Pcm.Num());
    UGameplayStatics::SpawnSoundAttached(Wave, GetOwner()->GetRootComponent());
}
