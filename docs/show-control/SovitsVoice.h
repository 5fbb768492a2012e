// A character whose sound is made by a SoVITS-Tiny device and played by the engine, where the actor stands.
// Unreal Engine 5; add "HTTP", "Json" and "AudioMixer" to the modules in Build.cs. The device needs [http].
#pragma once

#include "CoreMinimal.h"
#include "Components/ActorComponent.h"
#include "Interfaces/IHttpRequest.h"
#include "SovitsVoice.generated.h"

DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FSovitsFault, const FString&, Message);

UCLASS(ClassGroup = (Audio), meta = (BlueprintSpawnableComponent))
class USovitsVoice : public UActorComponent
{
    GENERATED_BODY()

public:
    /** Address of the device's HTTP door. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Sovits")
    FString Url = TEXT("http://127.0.0.1:8020");

    /** Token, where the door has one. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Sovits")
    FString Token;

    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Sovits")
    FString Character = TEXT("noah");

    UPROPERTY(BlueprintAssignable, Category = "Sovits")
    FSovitsFault OnFault;

    /** Says a line; tags such as [emotion:sad] work. */
    UFUNCTION(BlueprintCallable, Category = "Sovits")
    void Say(const FString& Text);

private:
    void OnSound(FHttpRequestPtr Request, FHttpResponsePtr Response, bool bConnected);
};
