// mono WebClientProgram.exe HUB PROGRAM_ID PROGRAM_SID PROGRAM_KEY
using System;
using System.Collections.Specialized;
using System.Net;
using System.Text;
using Newtonsoft.Json;

public static class Program
{
    private static string hub, programId, programSid, programKey, token;

    public static void Main(string[] args)
    {
        hub = args[0];
        programId = args[1];
        programSid = args[2];
        programKey = args[3];
        ServicePointManager.Expect100Continue = true;
        Login();
        Send("The first");
        dynamic subscriber = new { PhoneNumber = "970.690.4545", DoNotText = true };
        subscriber = Post("/api/Subscribers", subscriber);
        Console.WriteLine((bool)subscriber.DoNotText ? "Opted out" : "Opted in");
        Send("The second");
    }

    private static void Login()
    {
        using (var client = new WebClient())
        {
            var credentials = new NameValueCollection { { "ProgramSID", programSid }, { "ProgramKey", programKey } };
            var answer = client.UploadValues(hub + "/api/Login", credentials);
            token = Encoding.UTF8.GetString(answer).Trim('"');
        }
    }

    private static void Send(string message)
    {
        dynamic sent = Post("/api/TextMessages", new
        {
            ProgramId = programId,
            Message = message,
            PhoneNumber = "(970) 690-4544, 1.970.690.4545,19706904546",
            DateSent = DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss"),
            SendSuccessful = (bool?)null,
            SentResult = (string)null,
        });
        Console.WriteLine((bool)sent.SendSuccessful ? (string)sent.SentResult : "Failed");
    }

    private static dynamic Post(string path, object model)
    {
        while (true)
        {
            try
            {
                using (var client = new WebClient { Encoding = Encoding.UTF8 })
                {
                    client.Headers[HttpRequestHeader.ContentType] = "application/json; charset=utf-8";
                    client.Headers[HttpRequestHeader.Authorization] = token;
                    var answer = client.UploadString(hub + path, JsonConvert.SerializeObject(model));
                    return JsonConvert.DeserializeObject(answer);
                }
            }
            catch (WebException error)
            {
                var response = error.Response as HttpWebResponse;
                if (response == null || response.StatusCode != HttpStatusCode.Unauthorized)
                    throw;
                Login();
            }
        }
    }
}
